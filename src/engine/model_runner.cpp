#include "engine/model_runner.h"

#include <utility>

namespace qn::engine {

ModelRunner::ModelRunner(std::unique_ptr<model::Forward> forward, int context_tokens)
    : forward_(std::move(forward)),
      info_{.vocab = forward_->model().sizes().vocab,
            .context_tokens = context_tokens,
            .pages = forward_->cache().pages(),
            .page_tokens = forward_->cache().page_tokens(),
            .max_batched_tokens = forward_->options().max_rows,
            .max_sequences = forward_->options().max_logits} {}

}  // namespace qn::engine
