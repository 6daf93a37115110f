// Runners for the engine's tests. The logits of FakeRunner are a hash of every token read through the page table, so an engine
// that mixes up sequences, rows or pages gets other tokens.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "base/thread_pool.h"
#include "engine/runner.h"

namespace qn::engine {

inline constexpr RunnerInfo small_runner{.vocab = 50,
                                         .context_tokens = 60,
                                         .pages = 40,
                                         .page_tokens = 4,
                                         .max_batched_tokens = 16,
                                         .max_sequences = 8,
                                         .max_logits = 8,
                                         .width = 5};

// What the model says after these tokens.
inline std::vector<float> fake_logits(const std::vector<TokenId>& tokens, int vocab) {
  std::uint64_t hash = 0;
  for (const TokenId token : tokens) hash = (hash ^ static_cast<std::uint64_t>(token + 1)) * 0x9E3779B97F4A7C15u;
  std::vector<float> logits;
  for (int token = 0; token < vocab; ++token) logits.push_back(6 * uniform(hash, static_cast<std::uint64_t>(token)));
  return logits;
}

class FakeRunner : public Runner {
 public:
  explicit FakeRunner(const RunnerInfo& info = small_runner)
      : info_(info), cells_(static_cast<std::size_t>(info.pages) * static_cast<std::size_t>(info.page_tokens), -1) {}

  RunnerInfo info() const override { return info_; }

  Status forward(const sched::Step& step) override {
    if (before_step) before_step(step);
    texts_.clear();
    for (const sched::StepSequence& s : step.sequences) {
      for (std::size_t i = 0; i < s.tokens.size(); ++i) cell(s, s.first_position + static_cast<int>(i)) = s.tokens[i];
    }
    for (const sched::StepSequence& s : step.sequences) {
      const int end = s.first_position + static_cast<int>(s.tokens.size());
      std::vector<TokenId> read;
      for (int position = 0; position < end; ++position) {
        read.push_back(cell(s, position));
        if (position >= s.first_position) texts_.push_back(read);
      }
    }
    if (fail_next) {
      fail_next = false;
      return fail(Code::internal, "device: it stumbled; try again");
    }
    return {};
  }

  Result<std::span<const float>> logits(std::span<const int> rows) override {
    out_.clear();
    for (const int row : rows) {
      const std::vector<TokenId>& read = texts_.at(static_cast<std::size_t>(row));
      std::vector<float> logits = fake_logits(read, info_.vocab);
      if (change_logits) change_logits(read, logits);
      out_.insert(out_.end(), logits.begin(), logits.end());
    }
    return out_;
  }

  Result<std::span<const float>> hidden(std::span<const int> rows) override {
    out_.clear();
    for (const int row : rows) {
      const std::vector<float> hidden = fake_logits(texts_.at(static_cast<std::size_t>(row)), info_.width);
      out_.insert(out_.end(), hidden.begin(), hidden.end());
    }
    return out_;
  }

  int workers() const override { return threads ? threads->size() : 1; }
  void for_each(int count, const std::function<void(int worker, int index)>& body) override {
    if (!threads) return Runner::for_each(count, body);
    threads->for_parts(count, 1, [&](int worker, int begin, int end) {
      for (int index = begin; index < end; ++index) body(worker, index);
    });
  }

  std::unique_ptr<ThreadPool> threads;  // that rows are sampled on; none: the engine's own

  // Set before the engine has it; called on the engine's thread.
  std::function<void(const sched::Step&)> before_step;
  std::function<void(const std::vector<TokenId>&, std::vector<float>&)> change_logits;
  bool fail_next = false;

 private:
  TokenId& cell(const sched::StepSequence& s, int position) {
    const PageId page = s.pages[static_cast<std::size_t>(position / info_.page_tokens)];
    return cells_.at(static_cast<std::size_t>(page.value) * static_cast<std::size_t>(info_.page_tokens) +
                     static_cast<std::size_t>(position % info_.page_tokens));
  }

  RunnerInfo info_;
  std::vector<TokenId> cells_;
  std::vector<std::vector<TokenId>> texts_;  // [rows of the step] what stands up to each, by way of the pages
  std::vector<float> out_;
};

}  // namespace qn::engine
