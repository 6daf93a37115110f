// Writing IQ4_NL: scales for each 32. Without importance in fewer tries, as the rows of the cache are written with it.
#pragma once

#include "quant/iq4_nl.h"
#include "quant/write/iq4_steps.h"
#include "quant/write/small_blocks.h"

namespace qn::quant {
namespace {

constexpr ScaleSearch iq4_nl_search{0.8F, 0.05F, 6, 1};

void write_tile(const Tile& tile, IQ4_NL::Block (&blocks)[tile_blocks]) {
  std::uint16_t d[tile_blocks];
  const Floats inverse = inverse_of(round_to_f16(fit_scale<Iq4Steps, 32>(tile, iq4_nl_search), d));
  Floats number[16];
  for (int i = 0; i < 16; ++i) number[i] = Iq4Steps::number(tile.x[i] * inverse);
  std::int8_t code[256];
  codes_in_order(number, code);
  for (int b = 0; b < tile_blocks; ++b) {
    blocks[b].d.set(d[b]);
    for (int i = 0; i < 16; ++i) blocks[b].q[i] = static_cast<std::uint8_t>(code[b * 32 + i] | code[b * 32 + 16 + i] << 4);
  }
}

}  // namespace
}  // namespace qn::quant
