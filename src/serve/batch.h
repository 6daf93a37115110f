// Batch: many prompts that each want one result and no reply: an embedding, or the log probabilities of a few tokens.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/generation.h"
#include "serve/host.h"

namespace qn::serve {

struct BatchPrompt {
  std::vector<TokenId> tokens;
  std::optional<engine::Pooling> pooling = {};  // an embedding, or
  std::vector<TokenId> scored = {};             // log probabilities of these after the prompt
};

struct BatchOrigin {  // as in ReplyRequest
  std::uint64_t tenant = 0, salt = 0;
  int priority = 0;
};

struct BatchResult {
  std::vector<float> values;  // [D], not normalized; or one for each scored token
  int cached_tokens = 0;
};

class Batch {
 public:
  //   done     called once all results are there, or one has failed, on a thread of the engine; not after the batch is gone
  //   errors   too_large: a prompt does not fit the window; overloaded
  static Result<std::unique_ptr<Batch>> start(LoadedModel& model, std::vector<BatchPrompt> prompts, const BatchOrigin& origin,
                                              std::function<void()> done);
  ~Batch();  // cancels what still runs
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // In the order of the prompts. To be called once `done` was.
  Result<std::vector<BatchResult>> take();

 private:
  struct Inside;
  Batch(LoadedModel& model, std::shared_ptr<Inside> inside) : model_(model), inside_(std::move(inside)) {}

  LoadedModel& model_;
  std::vector<SequenceId> ids_;
  std::shared_ptr<Inside> inside_;  // shared with the sinks
};

}  // namespace qn::serve
