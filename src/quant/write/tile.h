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

// to[i] = lane i of each: rows and columns of a square of four change places.
QN_LANES_INLINE void transpose_square(const float* from, int from_stride, float* to, int to_stride) {
  Quad a, b, c, d;
  std::memcpy(&a, from, sizeof a);
  std::memcpy(&b, from + from_stride, sizeof b);
  std::memcpy(&c, from + 2 * from_stride, sizeof c);
  std::memcpy(&d, from + 3 * from_stride, sizeof d);
  const Quad ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Quad out[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                       __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int i = 0; i < 4; ++i) std::memcpy(to + i * to_stride, &out[i], sizeof out[i]);
}

// Lane l of to[i] is from[16 * l + i].
#if defined(__AVX512F__)
QN_LANES_INLINE void transpose(const float* __restrict from, Floats (&to)[16]) {
  FloatRegister a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) std::memcpy(&a[i], from + 16 * i, sizeof a[i]);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {  // column 2 * k and 2 * k + 1 of each square
      a[i + 2 * k] = __builtin_shufflevector(b[i + k], b[i + k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      a[i + 2 * k + 1] = __builtin_shufflevector(b[i + k], b[i + k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    // a[4 * r + k]: quarter q holds column 4 * q + k of rows 4 * r to 4 * r + 3.
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const FloatRegister low_02 = __builtin_shufflevector(a[k], a[k + 4], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const FloatRegister low_13 = __builtin_shufflevector(a[k], a[k + 4], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    const FloatRegister high_02 = __builtin_shufflevector(a[k + 8], a[k + 12], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    const FloatRegister high_13 = __builtin_shufflevector(a[k + 8], a[k + 12], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    to[k] = {__builtin_shufflevector(low_02, high_02, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)};
    to[k + 4] = {__builtin_shufflevector(low_13, high_13, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)};
    to[k + 8] = {__builtin_shufflevector(low_02, high_02, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)};
    to[k + 12] = {__builtin_shufflevector(low_13, high_13, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)};
  }
}
#else
QN_LANES_INLINE void transpose(const float* __restrict from, Floats (&to)[16]) {
  float turned[256];
  for (int row = 0; row < 16; row += 4)
    for (int column = 0; column < 16; column += 4) transpose_square(from + row * 16 + column, 16, turned + column * 16 + row, 16);
  for (int i = 0; i < 16; ++i) to[i] = load_lanes(turned + 16 * i);
}
#endif

// The weights of a block are brought to a mean of 1; a small constant keeps columns that were never seen in the sum.
constexpr float unseen_weight = 1.0F / 1024;

QN_LANES_INLINE Floats sane_weight(Floats w) {
  return clamp(w, set(0), set(1e18F));  // NaN: larger() takes the second
}

template <int block>
QN_LANES_INLINE void normalize_weights(Floats (&w)[16]) {
  Floats sum = set(0);
  for (int i = 0; i < 16; ++i) {
    w[i] = sane_weight(w[i]);
    sum = sum + w[i];
  }
  if constexpr (block == 32) sum = sum + swap_neighbours(sum);
  if constexpr (block == 256) sum = set(sum_of_lanes(sum));
  // Where nothing was seen at all, everything counts the same.
  const Floats factor = if_less(set(1e-20F), sum, set(block) / sum, set(0));
  const Floats least = if_less(set(1e-20F), sum, set(unseen_weight), set(1 + unseen_weight));
  for (int i = 0; i < 16; ++i) w[i] = w[i] * factor + least;
}

QN_LANES_INLINE Floats sane_value(Floats x) {
  const Floats number = if_equal(x, x, x, set(0));  // a NaN is not equal to itself
  return clamp(number, set(-most_magnitude), set(most_magnitude));
}

// 256 values, 16 to a row, as they lie: for blocks of 256 whose sums are over all of it.
void load_rows(const float* values, const float* importance, Tile& tile) {
  for (int i = 0; i < 16; ++i) tile.x[i] = sane_value(load_lanes(values + 16 * i));
  for (int i = 0; i < 16; ++i) tile.w[i] = importance == nullptr ? set(1) : load_lanes(importance + 16 * i);
  if (importance != nullptr) normalize_weights<256>(tile.w);
}

// 256 values, transposed; `block` of them (32 or 256) share a mean importance.
template <int block>
void load_tile(const float* values, const float* importance, Tile& tile) {
  transpose(values, tile.x);
  for (int i = 0; i < 16; ++i) tile.x[i] = sane_value(tile.x[i]);
  if (importance == nullptr) {
    for (int i = 0; i < 16; ++i) tile.w[i] = set(1);
  } else {
    transpose(importance, tile.w);
    normalize_weights<block>(tile.w);
  }
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

// Byte k of word j of lane l is code 4 * j + k: four codes of a lane, in [-128, 255], lie next to each other.
QN_LANES_INLINE void codes_in_words(const Ints (&code)[16], std::uint32_t (&words)[4][16]) {
  const Ints byte = set_int(255);
  for (int j = 0; j < 4; ++j) {
    const Ints low = (code[4 * j] & byte) | shift_left<8>(code[4 * j + 1] & byte);
    const Ints high = shift_left<16>(code[4 * j + 2] & byte) | shift_left<24>(code[4 * j + 3]);
    store_as(words[j], low | high);
  }
}

// Codes of a tile, whole numbers within a byte, in the order of the values.
template <class Byte>
void codes_in_order(const Floats (&code)[16], Byte (&out)[256]) {
  static_assert(sizeof(Byte) == 1);
  Ints whole[16];
  for (int i = 0; i < 16; ++i) whole[i] = to_ints(code[i]);
  std::uint32_t words[4][16];
  codes_in_words(whole, words);
  for (int lane = 0; lane < 16; ++lane)
    for (int j = 0; j < 4; ++j) std::memcpy(out + lane * 16 + j * 4, &words[j][lane], 4);
}

}  // namespace
}  // namespace qn::quant
