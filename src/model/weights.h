// The weight table of an architecture against the tensors of a file: every row found and of the right shape, no tensor left over.
#pragma once

#include <string>
#include <vector>

#include "file/checkpoint.h"
#include "model/architecture.h"

namespace qn::model {

struct BoundTensor {
  const TensorRow* row;
  int layer;  // -1 outside the layers
  const file::TensorEntry* tensor;
};

// "blk.{}.attn_q.weight", 7 -> "blk.7.attn_q.weight"
std::string tensor_name(std::string_view pattern, int layer);

// In the order of the table, layer by layer. Nothing is read but headers.
//   errors   bad_input: the tensor, the shape found and the shape needed; unsupported: a tensor that this architecture does not have
Result<std::vector<BoundTensor>> bind_tensors(const Architecture& architecture, const Sizes& sizes, const file::Checkpoint& checkpoint);

}  // namespace qn::model
