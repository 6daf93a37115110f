// Runner: what the engine needs of a model. One thread calls it.
#pragma once

#include <functional>
#include <span>

#include "base/result.h"
#include "sched/step.h"

namespace qn::engine {

struct RunnerInfo {
  int vocab;           // V
  int context_tokens;  // prompt and reply together, at most
  int pages, page_tokens;
  int max_batched_tokens;              // rows of a step, at most
  int prompt_rows_beside_replies = 0;  // of these for prompts, where replies are written in the same step; 0: all
  int max_sequences;                   // running at once, at most
  int max_logits = 64;                 // rows that are asked for at once, at most
  int width = 0;                       // D; 0: it gives no hidden states
};

class Runner {
 public:
  virtual ~Runner() = default;
  virtual RunnerInfo info() const = 0;  // always the same

  // Computes every token of the step. After an error the keys and values of this step are lost, earlier ones are not.
  virtual Status forward(const sched::Step& step) = 0;

  // Of the step computed last: for these rows (counted over the whole step, at most max_logits of them) the logits [rows, V], or the hidden
  // states after the last norm [rows, D]. On the host, valid until the next call.
  virtual Result<std::span<const float>> logits(std::span<const int> rows) = 0;
  virtual Result<std::span<const float>> hidden(std::span<const int> rows) = 0;

  // body(worker, index) for each index in [0, count), on threads that have nothing else to do between steps. One worker does one thing at a
  // time and has a number in [0, workers()).
  virtual int workers() const { return 1; }
  virtual void for_each(int count, const std::function<void(int worker, int index)>& body) {
    for (int index = 0; index < count; ++index) body(0, index);
  }
};

}  // namespace qn::engine
