// Writing IQ4_XS: scales for each 32, then whole scales and their factor in turn.
#pragma once

#include "quant/iq4_xs.h"
#include "quant/write/iq4_steps.h"

namespace qn::quant {
namespace {

constexpr ScaledFormat iq4_xs_search{32, {0.8F, 0.05F, 6, 1}, 3};

void write_block(const float* values, const float* importance, IQ4_XS::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  ScaledBlock block;
  search_scaled<Iq4Steps, 32>(tile, iq4_xs_search, block);
  out.d.set(block.d);
  float scale[16];
  store_lanes(scale, block.scale);
  std::memset(out.scales_low, 0, sizeof out.scales_low);
  int scales_high = 0;
  for (int run = 0; run < 8; ++run) {
    const int bits = static_cast<int>(scale[2 * run]) + 32;
    out.scales_low[run / 2] = static_cast<std::uint8_t>(out.scales_low[run / 2] | (bits & 15) << run % 2 * 4);
    scales_high |= bits >> 4 << run * 2;
  }
  out.scales_high.set(static_cast<std::uint16_t>(scales_high));
  const Floats inverse = inverse_of(set(f16_to_f32(block.d)) * block.scale);
  Floats number[16];
  for (int i = 0; i < 16; ++i) number[i] = Iq4Steps::number(tile.x[i] * inverse);
  std::int8_t code[256];
  codes_in_order(number, code);
  for (int run = 0; run < 8; ++run)
    for (int i = 0; i < 16; ++i) out.q[run * 16 + i] = static_cast<std::uint8_t>(code[run * 32 + i] | code[run * 32 + 16 + i] << 4);
}

}  // namespace
}  // namespace qn::quant
