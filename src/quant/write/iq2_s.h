// Writing IQ2_S.
#pragma once

#include "quant/iq2_s.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq2_s_search{0.75F, 0.06F, 8, 15, 0.125F, 2};

void write_block(const float* values, const float* importance, IQ2_S::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq2SGrid> block;
  search_gridded<Iq2SGrid, 16, Signs::free, Offset::none>(tile, iq2_s_search, block);
  std::uint16_t point[32];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  out.d.set(block.d);
  std::memset(out.qh, 0, sizeof out.qh);
  for (int i = 0; i < 32; ++i) {
    out.q[i] = static_cast<std::uint8_t>(point[i] & 255);
    out.qh[i / 4] = static_cast<std::uint8_t>(out.qh[i / 4] | point[i] >> 8 << i % 4 * 2);
    out.signs[i] = block.negative[i];
  }
  for (int i = 0; i < 8; ++i) out.scales[i] = static_cast<std::uint8_t>(scale[2 * i] | scale[2 * i + 1] << 4);
}

}  // namespace
}  // namespace qn::quant
