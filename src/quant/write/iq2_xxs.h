// Writing IQ2_XXS.
#pragma once

#include "quant/iq2_xxs.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq2_xxs_search{0.8F, 0.06F, 7, 15, 0.125F, 2};

void write_block(const float* values, const float* importance, IQ2_XXS::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq2XxsGrid> block;
  search_gridded<Iq2XxsGrid, 32, Signs::even, Offset::none>(tile, iq2_xxs_search, block);
  std::uint16_t point[32];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  out.d.set(block.d);
  for (int run = 0; run < 8; ++run) {
    std::uint32_t signs = static_cast<std::uint32_t>(scale[2 * run]) << 28;
    for (int i = 0; i < 4; ++i) {
      out.runs[run][i] = static_cast<std::uint8_t>(point[run * 4 + i]);
      signs |= (block.negative[run * 4 + i] & 127u) << 7 * i;
    }
    store(out.runs[run] + 4, signs);
  }
}

}  // namespace
}  // namespace qn::quant
