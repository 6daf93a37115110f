// Runner: what the engine needs of a model. One thread calls it.
#pragma once

#include <span>

#include "base/result.h"
#include "sched/step.h"

namespace qn::engine {

struct RunnerInfo {
  int vocab;           // V
  int context_tokens;  // prompt and reply together, at most
  int pages, page_tokens;
  int max_batched_tokens;  // rows of a step, at most
  int max_sequences;       // sequences of a step, at most
};

class Runner {
 public:
  virtual ~Runner() = default;
  virtual RunnerInfo info() const = 0;  // always the same

  // Computes every token of the step. Returns logits [S, V] on the host: a row for each sequence that wants logits, in step
  // order, valid until the next call. After an error the keys and values of this step are lost, earlier ones are not.
  virtual Result<std::span<const float>> forward(const sched::Step& step) = 0;
};

}  // namespace qn::engine
