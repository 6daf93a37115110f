// The gated feed-forward half: x += down(silu(gate(n)) * up(n)), n = norm(x).
//   source   Shazeer 2020 (arXiv:2002.05202)
#pragma once

#include <array>

#include "model/architecture.h"

namespace qn::model {

// clang-format off
inline constexpr std::array swiglu_rows = {
    TensorRow{"ffn_norm", "blk.{}.ffn_norm.weight", "model.layers.{}.post_attention_layernorm.weight", Dim::one,          Dim::width,        Use::vector, Part::feed_forward},
    TensorRow{"ffn_gate", "blk.{}.ffn_gate.weight", "model.layers.{}.mlp.gate_proj.weight",            Dim::feed_forward, Dim::width,        Use::matrix, Part::feed_forward, Split::rows},
    TensorRow{"ffn_up",   "blk.{}.ffn_up.weight",   "model.layers.{}.mlp.up_proj.weight",              Dim::feed_forward, Dim::width,        Use::matrix, Part::feed_forward, Split::rows},
    TensorRow{"ffn_down", "blk.{}.ffn_down.weight", "model.layers.{}.mlp.down_proj.weight",            Dim::width,        Dim::feed_forward, Use::matrix, Part::feed_forward, Split::rows},
};

inline constexpr std::array optional_swiglu_bias_rows = {
    TensorRow{"ffn_gate_bias", "blk.{}.ffn_gate.bias", "model.layers.{}.mlp.gate_proj.bias", Dim::one, Dim::feed_forward, Use::vector, Part::feed_forward, Split::rows, Presence::optional},
    TensorRow{"ffn_up_bias",   "blk.{}.ffn_up.bias",   "model.layers.{}.mlp.up_proj.bias",   Dim::one, Dim::feed_forward, Use::vector, Part::feed_forward, Split::rows, Presence::optional},
    TensorRow{"ffn_down_bias", "blk.{}.ffn_down.bias", "model.layers.{}.mlp.down_proj.bias", Dim::one, Dim::width,        Use::vector, Part::feed_forward, Split::rows, Presence::optional},
};
// clang-format on

struct Swiglu {
  const Weight& norm;                             // [D]
  const Weight &gate, &up;                        // [F, D]
  const Weight& down;                             // [D, F]
  const Weight *gate_bias, *up_bias, *down_bias;  // or none

  static Swiglu bind(const LayerWeights& weights);
};

void swiglu(LayerStep& step, const Sizes& sizes, const Swiglu& f);
int swiglu_scratch_columns(const Sizes& sizes);

}  // namespace qn::model
