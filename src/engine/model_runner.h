// ModelRunner: a model's forward pass as the engine sees it.
#pragma once

#include <memory>

#include "engine/runner.h"
#include "model/forward.h"

namespace qn::engine {

class ModelRunner final : public Runner {
 public:
  //   context_tokens   prompt and reply together, at most; the model may have been trained for less
  ModelRunner(std::unique_ptr<model::Forward> forward, int context_tokens);

  RunnerInfo info() const override { return info_; }
  Result<std::span<const float>> forward(const sched::Step& step) override { return forward_->run(step); }

 private:
  std::unique_ptr<model::Forward> forward_;
  RunnerInfo info_;
};

}  // namespace qn::engine
