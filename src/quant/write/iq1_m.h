// Writing IQ1_M.
#pragma once

#include "quant/iq1_m.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq1_m_search{1.05F, 0.4F, 4, 7, 0.125F, 1};

void write_block(const float* values, const float* importance, IQ1_M::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq1Grid> block;
  search_gridded<Iq1Grid, 16, Signs::of_values, Offset::of_point>(tile, iq1_m_search, block);
  std::uint16_t point[32];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  float offset[2][16];
  store_lanes(offset[0], block.offset[0]);
  store_lanes(offset[1], block.offset[1]);
  for (int word = 0; word < 4; ++word) {
    int packed = (block.d >> 4 * word & 15) << 12;
    for (int k = 0; k < 4; ++k) packed |= scale[4 * word + k] << 3 * k;
    out.scales[word].set(static_cast<std::uint16_t>(packed));
  }
  for (int i = 0; i < 16; ++i) {
    const int low = point[2 * i] >> 8 | (offset[0][i] < 0 ? 8 : 0), high = point[2 * i + 1] >> 8 | (offset[1][i] < 0 ? 8 : 0);
    out.qh[i] = static_cast<std::uint8_t>(low | high << 4);
  }
  for (int i = 0; i < 32; ++i) out.q[i] = static_cast<std::uint8_t>(point[i] & 255);
}

}  // namespace
}  // namespace qn::quant
