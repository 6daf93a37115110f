// Writing Q4_K: ranges of values for each 32, then scales, minima and their factors in turn.
#pragma once

#include "quant/q4_k.h"
#include "quant/write/affine.h"
#include "quant/write/k_scales.h"

namespace qn::quant {
namespace {

constexpr AffineFormat q4_k_search{15, 63, {13.6F, 0.25F, 12, 2}, 4};

void write_block(const float* values, const float* importance, Q4_K::Block& out) {
  Tile tile;
  load_tile<256>(values, importance, tile);
  AffineBlock block;
  search_affine<32>(tile, q4_k_search, block);
  out.d.set(block.d);
  out.dmin.set(block.dmin);
  pack_k_scales(block.scale, block.min, out.scales);
  std::int8_t code[256];
  codes_in_order(block.code, code);
  for (int chunk = 0; chunk < 4; ++chunk)
    for (int i = 0; i < 32; ++i) out.q[chunk * 32 + i] = static_cast<std::uint8_t>(code[chunk * 64 + i] | code[chunk * 64 + 32 + i] << 4);
}

}  // namespace
}  // namespace qn::quant
