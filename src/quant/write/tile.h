// A tile: 256 values in lanes, so that sixteen groups are searched at once.   lane l of x[i] is value 16 * l + i
// Sums over a group of 16 then run down a lane, in one order on every machine. A group of 32 is two neighbouring lanes, which keep equal
// results. What cannot be represented is made harmless here: NaN becomes 0, infinity a large number.
#pragma once

#include "quant/write/lanes.h"

namespace qn::quant {
namespace {

struct Tile {
  Floats x[16];
  Floats w[16];  // > 0; 1 on average or everywhere
};

// No format reaches 2^31: an f16 factor times a scale times a code stays below.
constexpr float most_magnitude = 2147483648.0F;
// Below half the smallest f16, 2^-24, nothing but zero can be written.
constexpr float least_magnitude = 1e-8F;

using Quad [[gnu::vector_size(16)]] = float;

// to[i][l] = from[l][i], in squares of four.
QN_LANES_INLINE void transpose(const float* __restrict from, float* __restrict to) {
  for (int row = 0; row < 16; row += 4)
    for (int column = 0; column < 16; column += 4) {
      Quad a, b, c, d;
      std::memcpy(&a, from + row * 16 + column, sizeof a);
      std::memcpy(&b, from + row * 16 + column + 16, sizeof b);
      std::memcpy(&c, from + row * 16 + column + 32, sizeof c);
      std::memcpy(&d, from + row * 16 + column + 48, sizeof d);
      const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      const Quad out[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                           __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
      for (int i = 0; i < 4; ++i) std::memcpy(to + (column + i) * 16 + row, &out[i], sizeof out[i]);
    }
}

// The weights of a block of `per_block` lanes are brought to a mean of 1; a small constant keeps columns that were never seen in the sum.
constexpr float unseen_weight = 1.0F / 1024;

QN_LANES_INLINE Floats sane_weight(Floats w) {
  return clamp(w, set(0), set(1e18F));  // NaN: larger() takes the second
}

template <int block>
void load_weights(const float* importance, Tile& tile) {
  if (importance == nullptr) {
    for (Floats& w : tile.w) w = set(1);
    return;
  }
  float turned[256];
  transpose(importance, turned);
  Floats sum = set(0);
  for (int i = 0; i < 16; ++i) {
    tile.w[i] = sane_weight(load_lanes(turned + 16 * i));
    sum = sum + tile.w[i];
  }
  if constexpr (block == 32) sum = sum + swap_neighbours(sum);
  if constexpr (block == 256) sum = set(sum_of_lanes(sum));
  // Where nothing was seen at all, everything counts the same.
  const Floats factor = if_less(set(1e-20F), sum, set(block) / sum, set(0));
  const Floats least = if_less(set(1e-20F), sum, set(unseen_weight), set(1));
  for (Floats& w : tile.w) w = w * factor + least;
}

// 256 values; `block` of them (32 or 256) share a mean importance.
template <int block>
void load_tile(const float* values, const float* importance, Tile& tile) {
  float turned[256];
  transpose(values, turned);
  for (int i = 0; i < 16; ++i) {
    const Floats x = load_lanes(turned + 16 * i);
    const Floats number = if_equal(x, x, x, set(0));  // a NaN is not
    tile.x[i] = clamp(number, set(-most_magnitude), set(most_magnitude));
  }
  load_weights<block>(importance, tile);
}

// Over the lanes of a group of 16 or 32 values.
template <int group>
QN_LANES_INLINE Floats group_sum(Floats x) {
  if constexpr (group == 32) return x + swap_neighbours(x);
  return x;
}
template <int group>
QN_LANES_INLINE Floats group_smallest(Floats x) {
  if constexpr (group == 32) return smaller(x, swap_neighbours(x));
  return x;
}
template <int group>
QN_LANES_INLINE Floats group_largest(Floats x) {
  if constexpr (group == 32) return larger(x, swap_neighbours(x));
  return x;
}

// A factor as it will be read; too large stays finite.
QN_LANES_INLINE std::uint16_t bounded_f16(float value) {
  const float below = value < 65504.0F ? value : 65504.0F;
  return f32_to_f16(below > -65504.0F ? below : -65504.0F);
}

// Codes of a tile, whole numbers within int8, in the order of the values.
void codes_in_order(const Floats (&code)[16], std::int8_t (&out)[256]) {
  float turned[256], lanes[256];
  for (int i = 0; i < 16; ++i) store_lanes(lanes + 16 * i, code[i]);
  transpose(lanes, turned);
  for (int i = 0; i < 256; ++i) out[i] = static_cast<std::int8_t>(static_cast<int>(turned[i]));
}

}  // namespace
}  // namespace qn::quant
