// Runners for the engine's tests. The logits of FakeRunner are a hash of every token read through the page table, so an engine
// that mixes up sequences, rows or pages gets other tokens.
#pragma once

#include <functional>
#include <vector>

#include "base/random.h"
#include "engine/runner.h"

namespace qn::engine {

inline constexpr RunnerInfo small_runner{
    .vocab = 50, .context_tokens = 60, .pages = 40, .page_tokens = 4, .max_batched_tokens = 16, .max_sequences = 8};

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

  Result<std::span<const float>> forward(const sched::Step& step) override {
    if (before_step) before_step(step);
    logits_.clear();
    for (const sched::StepSequence& s : step.sequences) {
      for (std::size_t i = 0; i < s.tokens.size(); ++i) cell(s, s.first_position + static_cast<int>(i)) = s.tokens[i];
    }
    for (const sched::StepSequence& s : step.sequences) {
      if (!s.wants_logits) continue;
      std::vector<TokenId> read;
      for (int position = 0; position < s.first_position + static_cast<int>(s.tokens.size()); ++position) read.push_back(cell(s, position));
      std::vector<float> row = fake_logits(read, info_.vocab);
      if (change_logits) change_logits(read, row);
      logits_.insert(logits_.end(), row.begin(), row.end());
    }
    if (fail_next) {
      fail_next = false;
      return fail(Code::internal, "device: it stumbled; try again");
    }
    return logits_;
  }

  // Set before the engine has it; called on the engine's thread.
  std::function<void(const sched::Step&)> before_step;
  std::function<void(const std::vector<TokenId>&, std::vector<float>&)> change_logits;
  bool fail_next = false;

 private:
  TokenId& cell(const sched::StepSequence& s, int position) {
    const PageId page = s.pages.at(static_cast<std::size_t>(position / info_.page_tokens));
    return cells_.at(static_cast<std::size_t>(page.value) * static_cast<std::size_t>(info_.page_tokens) +
                     static_cast<std::size_t>(position % info_.page_tokens));
  }

  RunnerInfo info_;
  std::vector<TokenId> cells_;
  std::vector<float> logits_;
};

}  // namespace qn::engine
