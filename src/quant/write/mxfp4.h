// Writing MXFP4: the three powers of two about the greatest magnitude are tried.
#pragma once

#include "quant/mxfp4.h"
#include "quant/write/scaled.h"
#include "quant/write/small_blocks.h"

namespace qn::quant {
namespace {

// To the nearest of 0, 1, 2, 3, 4, 6, 8, 12 (doubled e2m1): whole numbers below 4, even below 8, fours above.
QN_LANES_INLINE Floats nearest_e2m1(Floats y) {
  constexpr float shift = 12582912.0F;  // see round_lanes
  const Floats most = smaller(y, set(12));
  const Floats shifted = if_less(most, set(4), set(shift), if_less(most, set(8), set(2 * shift), set(4 * shift)));
  return most + shifted - shifted;
}

void write_tile(const Tile& tile, MXFP4::Block (&blocks)[tile_blocks]) {
  Floats most = set(0);
  for (int i = 0; i < 16; ++i) most = larger(most, magnitude(tile.x[i]));
  most = group_largest<32>(most);
  // 2^(e - 128) for 32 values up to 2^31 and down to 1e-8: the exponent stays far from its ends.
  const Ints power = bits_in(larger(most, set(least_magnitude))) & set_int(0x7F800000);
  Floats least = set(0), best = set(0);
  for (int below = 4; below >= 2; --below) {  // the greatest magnitude falls into [16, 32), [8, 16), [4, 8)
    const Floats half = floats_in(power - set_int(below << 23));
    const Floats inverse = set(1) / half;
    Floats error = set(0);
    for (int i = 0; i < 16; ++i) {
      const Floats value = magnitude(tile.x[i]);
      const Floats written = nearest_e2m1(value * inverse) * half;
      error = error + tile.w[i] * (written - set(2) * value) * written;  // less weight * value^2
    }
    error = group_sum<32>(error);
    best = if_less(error, least, half, best);
    least = smaller(error, least);
  }
  const Floats inverse = inverse_of(best);
  Floats code[16];
  for (int i = 0; i < 16; ++i) {
    const Floats doubled = nearest_e2m1(magnitude(tile.x[i]) * inverse);
    // 0, 1, 2, 3, 4 are their own numbers; 6, 8, 12 are 5, 6, 7.
    const Floats number = if_less(doubled, set(5), doubled, if_less(doubled, set(10), doubled * set(0.5F) + set(2), set(7)));
    code[i] = if_less(tile.x[i], set(0), number + set(8), number);
  }
  std::int8_t order[256];
  codes_in_order(code, order);
  float half[16];
  store_lanes(half, best);
  for (int b = 0; b < tile_blocks; ++b) {
    blocks[b].e = static_cast<std::uint8_t>(half[2 * b] > 0 ? (bits_of(half[2 * b]) >> 23) + 1 : 0);
    for (int i = 0; i < 16; ++i) blocks[b].q[i] = static_cast<std::uint8_t>(order[b * 32 + i] | order[b * 32 + 16 + i] << 4);
  }
}

}  // namespace
}  // namespace qn::quant
