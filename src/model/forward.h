// Forward: one step through the model. It reads like the paper: embed, the layers, norm, head. It hops between devices only where the
// placement says so.
// Invariant: a token's result depends on its own sequence alone, never on what else is in the step.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/cache.h"
#include "model/model.h"
#include "sched/step.h"

namespace qn::model {

struct ForwardOptions {
  KvOptions kv;
  int pages = 0;
  int max_rows = 512;  // tokens a step, at most
  int max_logits = 1;  // rows of logits or hidden states that are asked for at once, at most
};

enum class LogitsOf {
  wanted,  // the rows that the step says are read, in the order of the step
  all,     // every row of the step (perplexity, tests)
};

class Forward {
 public:
  //   errors   out_of_memory; unsupported cache formats
  static Result<std::unique_ptr<Forward>> make(std::shared_ptr<const Model> model, const ForwardOptions& options);

  const Model& model() const { return *model_; }
  const KvCache& cache() const { return cache_; }
  const ForwardOptions& options() const { return options_; }

  // Computes every token of the step and writes its keys and values.
  // The step's ids lie in [0, V), its pages in the cache, its rows within max_rows.
  Status compute(const sched::Step& step);

  // Of the step that was computed last: what its rows (counted over the whole step) say comes next, [rows, V], or their hidden states
  // after the last norm, [rows, D]. At most max_logits rows a call; valid until the next one.
  Result<std::span<const float>> logits(std::span<const int> rows);
  Result<std::span<const float>> hidden(std::span<const int> rows);

  // compute() and logits() of at most max_logits rows.
  Result<std::span<const float>> run(const sched::Step& step, LogitsOf which = LogitsOf::wanted);

 private:
  struct DeviceMemory {  // of one device: activations that live across layers, and scratch within one half
    std::unique_ptr<Buffer> buffer;
    Tensor x;        // [max_rows, D]
    Tensor cos_sin;  // [max_rows, rotated]
    std::span<std::byte> scratch;
  };

  Forward(std::shared_ptr<const Model> model, const ForwardOptions& options, KvCache cache)
      : model_(std::move(model)), options_(options), cache_(std::move(cache)) {}

  std::size_t run_layers(std::span<const SequenceRows> sequences, std::size_t device, int rows);
  void hop(std::size_t from, std::size_t to, int rows);
  Tensor normed(std::span<const int> rows);
  Result<std::span<const float>> download(const Tensor& from, std::vector<float>& to);

  std::shared_ptr<const Model> model_;
  ForwardOptions options_;
  KvCache cache_;
  std::vector<DeviceMemory> memory_;  // by device of the placement
  std::unique_ptr<Buffer> head_memory_;
  int rows_ = 0;                    // of the step computed last
  std::size_t x_on_ = 0;            // the device that holds its x
  Tensor picked_;                   // [max_logits, D] on the head's device
  Tensor logits_;                   // [max_logits, V] on the head's device
  std::vector<float> host_x_;       // [max_rows, D] for hops
  std::vector<float> host_logits_;  // [most wanted so far, V]: few servers ever fill max_logits
  std::vector<float> host_hidden_;  // [most wanted so far, D]
  std::vector<float> host_cos_sin_;
};

// Bytes that a Forward takes beside weights and cache: activations, scratch and logits.
std::uint64_t working_bytes(const Architecture& architecture, const Sizes& sizes, const ForwardOptions& options);

}  // namespace qn::model
