// Writing IQ1_S.
#pragma once

#include "quant/iq1_s.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq1_s_search{1.15F, 0.4F, 4, 7, 0.125F, 1};

void write_block(const float* values, const float* importance, IQ1_S::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq1Grid> block;
  search_gridded<Iq1Grid, 32, Signs::of_values, Offset::of_group>(tile, iq1_s_search, block);
  std::uint16_t point[32];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  float offset[16];
  store_lanes(offset, block.offset[0]);
  out.d.set(block.d);
  for (int run = 0; run < 8; ++run) {
    int high = scale[2 * run] << 12 | (offset[2 * run] < 0 ? 0x8000 : 0);
    for (int i = 0; i < 4; ++i) {
      out.q[run * 4 + i] = static_cast<std::uint8_t>(point[run * 4 + i] & 255);
      high |= point[run * 4 + i] >> 8 << 3 * i;
    }
    out.qh[run].set(static_cast<std::uint16_t>(high));
  }
}

}  // namespace
}  // namespace qn::quant
