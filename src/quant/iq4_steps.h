// The 16 uneven steps of IQ4_NL and IQ4_XS: dense near zero, where most weights lie.
//   source   llama.cpp, ggml-common.h
#pragma once

#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

inline constexpr std::int8_t iq4_step[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

QN_QUANT_INLINE int nearest_iq4_step(float value) {
  int index = 0;
  for (int i = 0; i < 15; ++i) index += value > 0.5F * static_cast<float>(iq4_step[i] + iq4_step[i + 1]);
  return index;
}

}  // namespace qn::quant
