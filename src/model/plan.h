// MemoryPlan: what running a model will take, known before anything is loaded.
#pragma once

#include <cstdint>

#include "model/forward.h"

namespace qn::model {

struct MemoryPlan {
  std::uint64_t weight_bytes = 0;        // every tensor once, in the form of the file
  std::uint64_t kv_bytes_per_token = 0;  // all layers
  std::uint64_t kv_bytes = 0;            // of the pages asked for
  std::uint64_t working_bytes = 0;       // activations, scratch, logits

  std::uint64_t total_bytes() const { return weight_bytes + kv_bytes + working_bytes; }
};

//   errors   unsupported: cache formats that cannot hold this model's heads
Result<MemoryPlan> plan_memory(const file::Checkpoint& checkpoint, const Description& description, const ForwardOptions& options);

// Whether the plan fits what is available.
//   errors   out_of_memory: each part, what is there, and the longest context that would fit
Status check_fits(const MemoryPlan& plan, std::uint64_t available_bytes);

}  // namespace qn::model
