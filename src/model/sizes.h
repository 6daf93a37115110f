// What an architecture file reads from metadata, and what the blocks need.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backend/ops.h"

namespace qn::model {

struct RopeScaling {
  enum class Kind { none, linear, yarn, llama3 };
  Kind kind = Kind::none;
  float factor = 1;
  int original_context = 0;
  float attention_factor = 0;           // yarn; 0: from the factor
  float beta_fast = 32, beta_slow = 1;  // yarn
  float low_freq_factor = 1, high_freq_factor = 4;  // llama3
};

struct Sizes {
  std::string architecture;
  int layers = 0;
  int width = 0;          // D
  int feed_forward = 0;   // F
  int heads = 0;          // H
  int kv_heads = 0;       // K
  int head = 0;
  int vocab = 0;          // V
  int context = 0;        // tokens the model was trained for
  float norm_eps = 1e-5f;
  float rope_theta = 10000;
  int rotated = 0;        // components of a head that rotate
  RopeLayout rope_layout = RopeLayout::halves;
  RopeScaling rope_scaling;
  std::vector<float> rope_factors;  // [rotated/2] divisors from the file (rope_freqs.weight), or empty
  int window = 0;                   // sliding window, 0: none
  int full_layers = 0;              // with a window: layers [0, full_layers) see everything
};

}  // namespace qn::model
