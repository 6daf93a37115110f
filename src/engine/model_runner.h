// ModelRunner: a model's forward pass as the engine sees it.
#pragma once

#include <memory>
#include <optional>

#include "engine/runner.h"
#include "model/forward.h"

namespace qn::engine {

class ModelRunner final : public Runner {
 public:
  //   context_tokens   prompt and reply together, at most; the model may have been trained for less
  //   max_sequences    running at once; absent: as many as there are rows of logits
  ModelRunner(std::unique_ptr<model::Forward> forward, int context_tokens, std::optional<int> max_sequences = {});

  RunnerInfo info() const override { return info_; }
  Status forward(const sched::Step& step) override { return forward_->compute(step); }
  Result<std::span<const float>> logits(std::span<const int> rows) override { return forward_->logits(rows); }
  Result<std::span<const float>> hidden(std::span<const int> rows) override { return forward_->hidden(rows); }
  int workers() const override { return head().host_workers(); }
  void for_each(int count, const std::function<void(int worker, int index)>& body) override { head().on_host(count, body); }

 private:
  Backend& head() const;

  std::unique_ptr<model::Forward> forward_;
  RunnerInfo info_;
};

}  // namespace qn::engine
