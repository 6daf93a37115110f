// Writing IQ3_XXS.
#pragma once

#include "quant/iq3_xxs.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq3_xxs_search{0.8F, 0.05F, 7, 15, 0.25F, 2};

void write_block(const float* values, const float* importance, IQ3_XXS::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq3XxsGrid> block;
  search_gridded<Iq3XxsGrid, 32, Signs::even, Offset::none>(tile, iq3_xxs_search, block);
  std::uint16_t point[64];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  out.d.set(block.d);
  for (int i = 0; i < 64; ++i) out.q[i] = static_cast<std::uint8_t>(point[i]);
  for (int run = 0; run < 8; ++run) {
    std::uint32_t signs = static_cast<std::uint32_t>(scale[2 * run]) << 28;
    for (int i = 0; i < 4; ++i) signs |= (block.negative[run * 4 + i] & 127u) << 7 * i;
    store(out.signs[run], signs);
  }
}

}  // namespace
}  // namespace qn::quant
