// Writing Q2_K: ranges of values for each 16, then scales, minima and their factors in turn.
#pragma once

#include "quant/q2_k.h"
#include "quant/write/affine.h"

namespace qn::quant {
namespace {

constexpr AffineFormat q2_k_search{3, 15, {2.2F, 0.12F, 16, 2}, 5};

void write_block(const float* values, const float* importance, Q2_K::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  AffineBlock block;
  search_affine<16>(tile, q2_k_search, block);
  out.d.set(block.d);
  out.dmin.set(block.dmin);
  float scale[16], min[16];
  store_lanes(scale, block.scale);
  store_lanes(min, block.min);
  for (int i = 0; i < 16; ++i) out.scales[i] = static_cast<std::uint8_t>(static_cast<int>(scale[i]) | static_cast<int>(min[i]) << 4);
  std::int8_t code[256];
  codes_in_order(block.code, code);
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      const std::int8_t* q = code + half * 128 + i;
      out.q[half * 32 + i] = static_cast<std::uint8_t>(q[0] | q[32] << 2 | q[64] << 4 | q[96] << 6);
    }
}

}  // namespace
}  // namespace qn::quant
