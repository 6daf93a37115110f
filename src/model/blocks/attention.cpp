#include "model/blocks/attention.h"

#include <cmath>

namespace qn::model {

Attention Attention::bind(const Sizes& sizes, const LayerWeights& weights, int layer) {
  return {.norm = weights["attn_norm"],
          .q = weights["attn_q"],
          .k = weights["attn_k"],
          .v = weights["attn_v"],
          .out = weights["attn_out"],
          .q_bias = weights.find("attn_q_bias"),
          .k_bias = weights.find("attn_k_bias"),
          .v_bias = weights.find("attn_v_bias"),
          .out_bias = weights.find("attn_out_bias"),
          .q_norm = weights.find("attn_q_norm"),
          .k_norm = weights.find("attn_k_norm"),
          .window = sizes.window[static_cast<std::size_t>(layer)]};
}

void attention(LayerStep& step, const Sizes& sizes, const Attention& a) {
  const int tokens = step.x.rows;
  const Tensor normed = step.scratch.take(tokens, sizes.width);
  const Tensor q = step.scratch.take(tokens, sizes.q_width());
  const Tensor k = step.scratch.take(tokens, sizes.kv_width());
  const Tensor v = step.scratch.take(tokens, sizes.kv_width());
  const Tensor mixed = step.scratch.take(tokens, sizes.q_width());

  step.ops.rms_norm(step.x, a.norm, sizes.norm_eps, normed);
  const Projection qkv[] = {
      {.weight = &a.q, .bias = a.q_bias, .y = q}, {.weight = &a.k, .bias = a.k_bias, .y = k}, {.weight = &a.v, .bias = a.v_bias, .y = v}};
  step.ops.linear(normed, qkv);
  step.ops.rotate_and_store(
      step.plan, {.q = q, .k = k, .v = v, .q_norm = a.q_norm, .k_norm = a.k_norm, .norm_eps = sizes.norm_eps, .rope = &step.rope},
      step.pool);
  step.ops.attend(step.plan, {.q = q, .out = mixed, .scale = 1.0f / std::sqrt(static_cast<float>(sizes.head)), .window = a.window},
                  step.pool);
  const Projection back[] = {{.weight = &a.out, .bias = a.out_bias, .residual = &step.x, .y = step.x}};
  step.ops.linear(mixed, back);
}

int attention_scratch_columns(const Sizes& sizes) {
  return sizes.width + 2 * sizes.q_width() + 2 * sizes.kv_width();
}

}  // namespace qn::model
