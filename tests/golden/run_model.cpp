#include "golden/run_model.h"

#include <algorithm>
#include <stdexcept>

namespace qn::golden {
namespace {

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

}  // namespace

SequenceRun::SequenceRun(std::shared_ptr<const file::Checkpoint> checkpoint, model::Placement placement, const RunOptions& options) {
  auto model = value_of(model::Model::load(std::move(checkpoint), std::move(placement)));
  const int pages = (options.tokens + options.page_tokens - 1) / options.page_tokens;
  forward_ = value_of(model::Forward::make(
      std::move(model),
      {.kv = {.keys = quant::find_format(options.keys), .values = quant::find_format(options.values), .page_tokens = options.page_tokens},
       .pages = pages,
       .max_rows = options.tokens,
       .max_logits = options.tokens}));
  // Pages in an order of their own, so that a kernel that ignored the table would read the wrong ones.
  for (int page = 0; page < pages; ++page) pages_.push_back({static_cast<std::uint32_t>((page * 7 + 3) % pages)});
  std::sort(pages_.begin(), pages_.end());
  std::reverse(pages_.begin(), pages_.end());
}

std::vector<float> SequenceRun::feed(std::span<const TokenId> ids, int chunk) {
  std::vector<float> all;
  while (!ids.empty()) {
    const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(chunk));
    sched::Step step{{{.id = {1},
                       .first_position = done_,
                       .tokens = {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count)},
                       .pages = pages_,
                       .reads = 1}}};
    const std::span<const float> logits = value_of(forward_->run(step, model::LogitsOf::all));
    all.insert(all.end(), logits.begin(), logits.end());
    done_ += static_cast<int>(count);
    ids = ids.subspan(count);
  }
  return all;
}

std::vector<TokenId> SequenceRun::greedy(std::span<const TokenId> prompt, int count, int chunk) {
  std::vector<TokenId> chosen;
  std::vector<float> logits = feed(prompt, chunk);
  for (;;) {
    const auto last = logits.end() - vocab();
    chosen.push_back(static_cast<TokenId>(std::max_element(last, logits.end()) - last));
    if (static_cast<int>(chosen.size()) == count) return chosen;
    logits = feed(std::span(&chosen.back(), 1), 1);
  }
}

}  // namespace qn::golden
