// Sizes: the numbers that an architecture reads from a checkpoint's metadata. Checked here, so that the rest may trust them.
#pragma once

#include <string>
#include <vector>

#include "backend/ops.h"
#include "base/result.h"
#include "file/metadata.h"

namespace qn::model {

// How positions beyond the trained context are squeezed in.
//   source   linear: kaiokendev 2023; YaRN: Peng et al. 2023 (arXiv:2309.00071), as Transformers' modeling_rope_utils computes it
struct RopeScaling {
  enum class Kind { none, linear, yarn };
  Kind kind = Kind::none;
  float factor = 1;
  int original_context = 0;
  float attention_factor = 0;  // yarn: of cos and sin; 0: 0.1 ln(factor) + 1
  float beta_fast = 32, beta_slow = 1;
};

struct Sizes {
  std::string architecture;
  int layers = 0;        // L
  int width = 0;         // D
  int feed_forward = 0;  // F
  int heads = 0;         // H
  int kv_heads = 0;      // K, divides H
  int head = 0;
  int vocab = 0;    // V
  int context = 0;  // tokens the model was trained for, after scaling
  float norm_eps = 0;
  float rope_theta = 10000;
  int rotated = 0;  // components of a head that rotate: even, at most head
  RopeLayout rope_layout = RopeLayout::halves;
  RopeScaling rope_scaling;
  std::vector<int> window;  // by layer: sliding window in tokens, 0 for none

  int q_width() const { return heads * head; }
  int kv_width() const { return kv_heads * head; }
};

// The keys that every decoder of this family shares, under "<architecture>.": block_count, embedding_length, attention.*, rope.*, …
//   vocab_rows   rows of the embedding table, which is what V means
//   errors       bad_input: the key, what was found and what is allowed
//   source       GGUF specification, "Standardized key-value pairs"
Result<Sizes> read_decoder_sizes(const file::Metadata& metadata, std::string_view architecture, int vocab_rows, RopeLayout layout);

}  // namespace qn::model
