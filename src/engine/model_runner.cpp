#include "engine/model_runner.h"

#include <utility>

namespace qn::engine {
namespace {

// A product over so many rows costs each of them hardly more than one over 512, and a reply beside it waits a quarter as long.
constexpr int prompt_rows = 128;

}  // namespace

ModelRunner::ModelRunner(std::unique_ptr<model::Forward> forward, int context_tokens, std::optional<int> max_sequences)
    : forward_(std::move(forward)),
      info_{.vocab = forward_->model().sizes().vocab,
            .context_tokens = context_tokens,
            .pages = forward_->cache().pages(),
            .page_tokens = forward_->cache().page_tokens(),
            .max_batched_tokens = forward_->options().max_rows,
            .prompt_rows_beside_replies = prompt_rows,
            .max_sequences = max_sequences.value_or(forward_->options().max_logits),
            .max_logits = forward_->options().max_logits,
            .width = forward_->model().sizes().width} {}

Backend& ModelRunner::head() const {
  const model::Placement& placement = forward_->model().placement();
  return *placement.devices[placement.head];
}

}  // namespace qn::engine
