// Writing IQ3_S.
#pragma once

#include "quant/iq3_s.h"
#include "quant/write/gridded.h"

namespace qn::quant {
namespace {

constexpr GriddedFormat iq3_s_search{0.8F, 0.05F, 7, 15, 1, 2};

void write_block(const float* values, const float* importance, IQ3_S::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  GriddedBlock<Iq3SGrid> block;
  search_gridded<Iq3SGrid, 32, Signs::free, Offset::none>(tile, iq3_s_search, block);
  std::uint16_t point[64];
  point_numbers(block, point);
  std::uint8_t scale[16];
  whole_scales(block.scale, scale);
  out.d.set(block.d);
  std::memset(out.qh, 0, sizeof out.qh);
  for (int i = 0; i < 64; ++i) {
    out.q[i] = static_cast<std::uint8_t>(point[i] & 255);
    out.qh[i / 8] = static_cast<std::uint8_t>(out.qh[i / 8] | point[i] >> 8 << i % 8);
  }
  std::memcpy(out.signs, block.negative, sizeof out.signs);
  for (int i = 0; i < 4; ++i) out.scales[i] = static_cast<std::uint8_t>(scale[4 * i] | scale[4 * i + 2] << 4);
}

}  // namespace
}  // namespace qn::quant
