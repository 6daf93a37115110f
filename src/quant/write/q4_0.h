// Writing Q4_0 and Q5_0. By importance: scales for each 32. Without: what F::quantize does, for eight blocks at a time.
#pragma once

#include "quant/q4_0.h"
#include "quant/q5_0.h"
#include "quant/write/scaled.h"
#include "quant/write/small_blocks.h"

namespace qn::quant {
namespace {

constexpr ScaleSearch q4_0_search{0.8F, 0.03F, 10, 2};
constexpr ScaleSearch q5_0_search{0.86F, 0.02F, 10, 2};

void store_codes(const Floats (&code)[16], Q4_0::Block (&blocks)[tile_blocks]) {
  std::uint32_t words[4][16];
  nibbles_in_words(code, words);
  for (int b = 0; b < tile_blocks; ++b) store_nibbles(words, b, blocks[b].q);
}

void store_codes(const Floats (&code)[16], Q5_0::Block (&blocks)[tile_blocks]) {
  std::uint32_t words[4][16], fifth[tile_blocks];
  five_bits_in_words(code, words, fifth);
  for (int b = 0; b < tile_blocks; ++b) {
    store_nibbles(words, b, blocks[b].q);
    store(blocks[b].qh, fifth[b]);
  }
}

template <int count, class Block>
void write_scaled_tile(const Tile& tile, const ScaleSearch& search, Block (&blocks)[tile_blocks]) {
  std::uint16_t d[tile_blocks];
  const Floats inverse = inverse_of(round_to_f16(fit_scale<EvenSteps<count>, 32>(tile, search), d));
  Floats code[16];
  for (int i = 0; i < 16; ++i) code[i] = EvenSteps<count>::nearest(tile.x[i] * inverse) + set(count);
  for (int b = 0; b < tile_blocks; ++b) blocks[b].d.set(d[b]);
  store_codes(code, blocks);
}

void write_tile(const Tile& tile, Q4_0::Block (&blocks)[tile_blocks]) {
  write_scaled_tile<8>(tile, q4_0_search, blocks);
}
void write_tile(const Tile& tile, Q5_0::Block (&blocks)[tile_blocks]) {
  write_scaled_tile<16>(tile, q5_0_search, blocks);
}

template <int count, class Block>
void quantize_scaled_tile(const float* values, Block (&blocks)[tile_blocks]) {
  Floats x[16];
  transpose(values, x);
  // The value farthest from zero, the first of equals; magnitudes as integers, so that NaN is the largest.
  const Ints magnitude_bits = set_int(0x7FFFFFFF);
  Floats extreme = x[0];
  for (int i = 1; i < 16; ++i) extreme = if_less(bits_in(extreme) & magnitude_bits, bits_in(x[i]) & magnitude_bits, x[i], extreme);
  const Floats first = first_of_pair(extreme), second = second_of_pair(extreme);
  extreme = if_less(bits_in(first) & magnitude_bits, bits_in(second) & magnitude_bits, second, first);
  const Floats d = extreme / set(-count);
  const Floats inverse = if_equal(d, set(0), set(0), set(1) / d);
  Floats code[16];
  for (int i = 0; i < 16; ++i) code[i] = whole_part(clamp(x[i] * inverse + set(count + 0.5F), set(0), set(2 * count - 1)));
  std::uint16_t half[16];
  f16_of_lanes(d, half);
  for (int b = 0; b < tile_blocks; ++b) blocks[b].d.set(half[2 * b]);
  store_codes(code, blocks);
}

void quantize_tile(const float* values, Q4_0::Block (&blocks)[tile_blocks]) {
  quantize_scaled_tile<8>(values, blocks);
}
void quantize_tile(const float* values, Q5_0::Block (&blocks)[tile_blocks]) {
  quantize_scaled_tile<16>(values, blocks);
}

}  // namespace
}  // namespace qn::quant
