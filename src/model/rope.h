// Rotation tables: the frequencies of a model, and cos and sin for the positions of a step. Made on the host, once a step, with our own
// sine and cosine, so that every machine has the same bits.
//   source   RoPE, Su et al. 2021 (arXiv:2104.09864); scaling as Transformers' modeling_rope_utils
#pragma once

#include <span>
#include <vector>

#include "model/sizes.h"

namespace qn::model {

struct RopeFrequencies {
  std::vector<float> inverse;  // [rotated / 2] radians a position
  float magnitude = 1;         // of cos and sin (YaRN)
};

//   divisors   [rotated / 2] from the file (rope_freqs), or empty
RopeFrequencies rope_frequencies(const Sizes& sizes, std::span<const float> divisors);

// cos_sin [T, rotated]: cos of pair i in column i, sin in column rotated/2 + i.
void fill_cos_sin(const RopeFrequencies& frequencies, std::span<const int> positions, std::span<float> cos_sin);

struct SinCos {
  double sin, cos;
};
// For |x| up to 2^30, to about 1e-15: the same bits on every machine.
SinCos sin_cos(double x);

}  // namespace qn::model
