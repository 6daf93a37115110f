// Writing Q3_K: scales for each 16, then whole scales and their factor in turn.
#pragma once

#include "quant/q3_k.h"
#include "quant/write/scaled.h"

namespace qn::quant {
namespace {

constexpr ScaledFormat q3_k_search{32, {0.72F, 0.1F, 6, 0}, 2};

void write_block(const float* values, const float* importance, Q3_K::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  ScaledBlock block;
  search_scaled<EvenSteps<4>, 16>(tile, q3_k_search, block);
  out.d.set(block.d);
  float scale[16];
  store_lanes(scale, block.scale);
  std::memset(out.scales, 0, sizeof out.scales);
  for (int group = 0; group < 16; ++group) {
    const int bits = static_cast<int>(scale[group]) + 32;
    std::uint8_t& low = out.scales[group % 8];
    std::uint8_t& high = out.scales[8 + group % 4];
    low = static_cast<std::uint8_t>(low | (bits & 15) << group / 8 * 4);
    high = static_cast<std::uint8_t>(high | bits >> 4 << group / 4 * 2);
  }
  std::int8_t step[256];
  codes_in_order(block.step, step);
  std::memset(out.q, 0, sizeof out.q);
  std::memset(out.qh, 0, sizeof out.qh);
  for (int run = 0; run < 8; ++run)
    for (int i = 0; i < 32; ++i) {
      const int code = step[run * 32 + i] + 4;
      std::uint8_t& low = out.q[run / 4 * 32 + i];
      low = static_cast<std::uint8_t>(low | (code & 3) << run % 4 * 2);
      out.qh[i] = static_cast<std::uint8_t>(out.qh[i] | code >> 2 << run);
    }
}

}  // namespace
}  // namespace qn::quant
