// run_batch(): many prompts that each want one result and no text: finds the model, makes the prompts, runs them, answers; ends everything
// the moment the client leaves.
#pragma once

#include <functional>
#include <vector>

#include "api/model_work.h"
#include "serve/batch.h"

namespace qn::api {

struct BatchRun {
  serve::Lease lease;
  std::vector<serve::BatchResult> results;   // in the order of the prompts
  int prompt_tokens = 0, cached_tokens = 0;  // of all together
  std::chrono::nanoseconds load_time{0};     // waited for the model
  std::chrono::nanoseconds total{0};         // since the request came

  const std::string& model() const { return lease.served().name; }
};

struct BatchJob {
  ModelWish wish;
  // Both on a worker. An error is answered.
  std::function<Result<std::vector<serve::BatchPrompt>>(serve::LoadedModel&)> prompts;
  std::function<void(Exchange&, BatchRun&)> answer;
};

void run_batch(Service& service, const std::shared_ptr<Exchange>& exchange, BatchJob job);

}  // namespace qn::api
