// Writing IQ2_XS.
#pragma once

#include "quant/iq2_xs.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq2_xs_search{0.75F, 0.06F, 8, 15, 0.125F, 2};

void write_block(const float* values, const float* importance, IQ2_XS::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq2XsGrid> block;
  search_gridded<Iq2XsGrid, 16, Signs::even, Offset::none>(tile, iq2_xs_search, block);
  std::uint16_t point[32];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  out.d.set(block.d);
  for (int i = 0; i < 32; ++i) out.points[i].set(static_cast<std::uint16_t>(point[i] | (block.negative[i] & 127) << 9));
  for (int i = 0; i < 8; ++i) out.scales[i] = static_cast<std::uint8_t>(scale[2 * i] | scale[2 * i + 1] << 4);
}

}  // namespace
}  // namespace qn::quant
