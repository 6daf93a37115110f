// Writing Q5_K: ranges of values for each 32, then scales, minima and their factors in turn.
#pragma once

#include "quant/q5_k.h"
#include "quant/write/affine.h"
#include "quant/write/k_scales.h"

namespace qn::quant {
namespace {

constexpr AffineFormat q5_k_search{31, 63, {29.0F, 0.4F, 12, 2}, 4};

void write_block(const float* values, const float* importance, Q5_K::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  AffineBlock block;
  search_affine<32>(tile, q5_k_search, block);
  out.d.set(block.d);
  out.dmin.set(block.dmin);
  pack_k_scales(block.scale, block.min, out.scales);
  std::int8_t code[256];
  codes_in_order(block.code, code);
  for (int chunk = 0; chunk < 4; ++chunk)
    for (int i = 0; i < 32; ++i)
      out.q[chunk * 32 + i] = static_cast<std::uint8_t>((code[chunk * 64 + i] & 15) | (code[chunk * 64 + 32 + i] & 15) << 4);
  std::memset(out.qh, 0, sizeof out.qh);
  for (int run = 0; run < 8; ++run)
    for (int i = 0; i < 32; ++i) out.qh[i] = static_cast<std::uint8_t>(out.qh[i] | code[run * 32 + i] >> 4 << run);
}

}  // namespace
}  // namespace qn::quant
