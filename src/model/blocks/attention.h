// Grouped-query attention over paged keys and values: norm, q k v, rotate and store, attend, project back onto the residual stream.
//   source   Vaswani et al. 2017 (arXiv:1706.03762); GQA: Ainslie et al. 2023 (arXiv:2305.13245); RoPE: Su et al. 2021 (arXiv:2104.09864)
#pragma once

#include <array>

#include "model/architecture.h"

namespace qn::model {

// clang-format off
inline constexpr std::array attention_rows = {
    TensorRow{"attn_norm", "blk.{}.attn_norm.weight",   "model.layers.{}.input_layernorm.weight",  Dim::one,      Dim::width,   Use::vector, Part::mixer},
    TensorRow{"attn_q",    "blk.{}.attn_q.weight",      "model.layers.{}.self_attn.q_proj.weight", Dim::q_width,  Dim::width,   Use::matrix, Part::mixer, Split::rows},
    TensorRow{"attn_k",    "blk.{}.attn_k.weight",      "model.layers.{}.self_attn.k_proj.weight", Dim::kv_width, Dim::width,   Use::matrix, Part::mixer, Split::rows},
    TensorRow{"attn_v",    "blk.{}.attn_v.weight",      "model.layers.{}.self_attn.v_proj.weight", Dim::kv_width, Dim::width,   Use::matrix, Part::mixer, Split::rows},
    TensorRow{"attn_out",  "blk.{}.attn_output.weight", "model.layers.{}.self_attn.o_proj.weight", Dim::width,    Dim::q_width, Use::matrix, Part::mixer, Split::rows},
};

constexpr std::array<TensorRow, 3> qkv_bias_rows(Presence presence) {
  return {{{"attn_q_bias", "blk.{}.attn_q.bias", "model.layers.{}.self_attn.q_proj.bias", Dim::one, Dim::q_width,  Use::vector, Part::mixer, Split::rows, presence},
           {"attn_k_bias", "blk.{}.attn_k.bias", "model.layers.{}.self_attn.k_proj.bias", Dim::one, Dim::kv_width, Use::vector, Part::mixer, Split::rows, presence},
           {"attn_v_bias", "blk.{}.attn_v.bias", "model.layers.{}.self_attn.v_proj.bias", Dim::one, Dim::kv_width, Use::vector, Part::mixer, Split::rows, presence}}};
}

inline constexpr std::array optional_out_bias_rows = {
    TensorRow{"attn_out_bias", "blk.{}.attn_output.bias", "model.layers.{}.self_attn.o_proj.bias", Dim::one, Dim::width, Use::vector, Part::mixer, Split::rows, Presence::optional},
};

inline constexpr std::array qk_norm_rows = {
    TensorRow{"attn_q_norm", "blk.{}.attn_q_norm.weight", "model.layers.{}.self_attn.q_norm.weight", Dim::one, Dim::head, Use::vector, Part::mixer},
    TensorRow{"attn_k_norm", "blk.{}.attn_k_norm.weight", "model.layers.{}.self_attn.k_norm.weight", Dim::one, Dim::head, Use::vector, Part::mixer},
};
// clang-format on

struct Attention {
  const Weight& norm;                                 // [D]
  const Weight &q, &k, &v;                            // [H * head, D], [K * head, D], [K * head, D]
  const Weight& out;                                  // [D, H * head]
  const Weight *q_bias, *k_bias, *v_bias, *out_bias;  // or none
  const Weight *q_norm, *k_norm;                      // [head], before rotation, or none
  int window;                                         // 0: none

  static Attention bind(const Sizes& sizes, const LayerWeights& weights, int layer);
};

void attention(LayerStep& step, const Sizes& sizes, const Attention& a);
int attention_scratch_columns(const Sizes& sizes);

}  // namespace qn::model
