// Chooser: asked about each tensor in turn, says which format a mix gives it. It counts tensors of a role as they come.
#pragma once

#include <cstdint>
#include <string_view>

#include "file/checkpoint.h"
#include "file/quantize/mix.h"

namespace qn::file {

// What the rules look at beside the tensor.
struct ModelFacts {
  std::string architecture;
  int layers = 0;
  int heads_per_kv_head = 0;
  int experts = 0;
  int value_matrices = 0;  // tensors of the role attn_v
  bool tied = false;       // the embedding table is also the output matrix
  bool weighted = false;   // there is an importance matrix

  //   errors   bad_input: a key of another type
  static Result<ModelFacts> of(const Checkpoint& model);
  // 80 layers with shared heads: one value matrix serves eight heads there, and gets more bits.
  bool is_70b() const { return layers == 80 && (architecture == "qwen2" || (architecture == "llama" && heads_per_kv_head > 1)); }
};

class Chooser {
 public:
  Chooser(const Mix& mix, ModelFacts facts);

  // To be asked in the order of layers, and of names within a layer.
  //   name     as it will be written
  const quant::Format* choose(std::string_view name, std::int64_t columns, bool has_experts);

 private:
  bool applies(When when, int i, int n) const;

  const Mix& mix_;
  const quant::Format* base_;
  ModelFacts facts_;
  int value_matrix_ = 0, up_ = 0, gate_ = 0, down_ = 0;  // how many came before
};

// Tensors that are never quantized: vectors, norms, and small matrices that much depends on.
bool may_be_quantized(const TensorEntry& tensor);

// The format for rows that are no whole number of `wanted`'s blocks; `wanted` itself where they are.
const quant::Format* fitting_format(const quant::Format* wanted, std::int64_t columns);

// blk.N.: N; -1 for others.
int layer_of(std::string_view tensor_name);

}  // namespace qn::file
