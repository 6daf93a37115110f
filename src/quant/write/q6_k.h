// Writing Q6_K: scales for each 16, then whole scales and their factor in turn.
#pragma once

#include "quant/q6_k.h"
#include "quant/write/scaled.h"

namespace qn::quant {
namespace {

constexpr ScaledFormat q6_k_search{128, {0.92F, 0.02F, 6, 1}, 3};

void write_block(const float* values, const float* importance, Q6_K::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  ScaledBlock block;
  search_scaled<EvenSteps<32>, 16>(tile, q6_k_search, block);
  out.d.set(block.d);
  float scale[16];
  store_lanes(scale, block.scale);
  for (int i = 0; i < 16; ++i) out.scales[i] = static_cast<std::int8_t>(static_cast<int>(scale[i]));
  std::int8_t step[256];
  codes_in_order(block.step, step);
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 32; ++i) {
      int code[4];
      for (int run = 0; run < 4; ++run) code[run] = step[half * 128 + run * 32 + i] + 32;
      out.ql[half * 64 + i] = static_cast<std::uint8_t>((code[0] & 15) | (code[2] & 15) << 4);
      out.ql[half * 64 + 32 + i] = static_cast<std::uint8_t>((code[1] & 15) | (code[3] & 15) << 4);
      out.qh[half * 32 + i] = static_cast<std::uint8_t>(code[0] >> 4 | code[1] >> 4 << 2 | code[2] >> 4 << 4 | code[3] >> 4 << 6);
    }
}

}  // namespace
}  // namespace qn::quant
