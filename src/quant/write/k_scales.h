// Packing the scales and minima of Q4_K and Q5_K: quant/k_scales.h says where the bits lie.
#pragma once

#include "quant/write/lanes.h"

namespace qn::quant {
namespace {

// Two lanes a group.
void pack_k_scales(const Floats& scales, const Floats& mins, std::uint8_t (&packed)[12]) {
  float scale[16], min[16];
  store_lanes(scale, scales);
  store_lanes(min, mins);
  for (int i = 0; i < 4; ++i) {
    const int low_scale = static_cast<int>(scale[2 * i]), high_scale = static_cast<int>(scale[2 * i + 8]);
    const int low_min = static_cast<int>(min[2 * i]), high_min = static_cast<int>(min[2 * i + 8]);
    packed[i] = static_cast<std::uint8_t>(low_scale | high_scale >> 4 << 6);
    packed[i + 4] = static_cast<std::uint8_t>(low_min | high_min >> 4 << 6);
    packed[i + 8] = static_cast<std::uint8_t>((high_scale & 15) | (high_min & 15) << 4);
  }
}

}  // namespace
}  // namespace qn::quant
