#include "model/blocks/swiglu.h"

namespace qn::model {

Swiglu Swiglu::bind(const LayerWeights& weights) {
  return {.norm = weights["ffn_norm"],
          .gate = weights["ffn_gate"],
          .up = weights["ffn_up"],
          .down = weights["ffn_down"],
          .gate_bias = weights.find("ffn_gate_bias"),
          .up_bias = weights.find("ffn_up_bias"),
          .down_bias = weights.find("ffn_down_bias")};
}

void swiglu(LayerStep& step, const Sizes& sizes, const Swiglu& f) {
  const int tokens = step.x.rows;
  const Tensor normed = step.scratch.take(tokens, sizes.width);
  const Tensor gate = step.scratch.take(tokens, sizes.feed_forward);
  const Tensor up = step.scratch.take(tokens, sizes.feed_forward);

  step.ops.rms_norm(step.x, f.norm, sizes.norm_eps, normed);
  const Projection gate_up[] = {{.weight = &f.gate, .bias = f.gate_bias, .y = gate}, {.weight = &f.up, .bias = f.up_bias, .y = up}};
  step.ops.linear(normed, gate_up);
  step.ops.swiglu(gate, up, gate);
  const Projection down[] = {{.weight = &f.down, .bias = f.down_bias, .residual = &step.x, .y = step.x}};
  step.ops.linear(gate, down);
}

int swiglu_scratch_columns(const Sizes& sizes) {
  return sizes.width + 2 * sizes.feed_forward;
}

}  // namespace qn::model
