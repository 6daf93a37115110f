// The 16 uneven steps of IQ4_NL and IQ4_XS: dense near zero, where most weights lie.
//   source   llama.cpp, ggml-common.h
#pragma once

#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

inline constexpr std::int8_t iq4_step[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// The numbers of the steps nearest to values[i] * inverse: how many midpoints lie below.
QN_QUANT_INLINE void nearest_iq4_steps(const float* __restrict values, float inverse, int (&__restrict index)[32]) {
  for (int& i : index) i = 0;
  for (int step = 0; step < 15; ++step) {
    const float midpoint = 0.5F * static_cast<float>(iq4_step[step] + iq4_step[step + 1]);
    for (int i = 0; i < 32; ++i) index[i] += values[i] * inverse > midpoint ? 1 : 0;
  }
}

}  // namespace qn::quant
