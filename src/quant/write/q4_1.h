// Writing Q4_1 and Q5_1. By importance: ranges for each 32, the offset of either sign. Without: what F::quantize does, for eight blocks at
// a time.
#pragma once

#include "quant/q4_1.h"
#include "quant/q5_1.h"
#include "quant/write/affine.h"
#include "quant/write/small_blocks.h"

namespace qn::quant {
namespace {

constexpr RangeSearch q4_1_search{13.6F, 0.25F, 12, 2};
constexpr RangeSearch q5_1_search{29.0F, 0.4F, 12, 2};

void store_codes(const Floats (&code)[16], Q4_1::Block (&blocks)[tile_blocks]) {
  std::uint32_t words[4][16];
  nibbles_in_words(code, words);
  for (int b = 0; b < tile_blocks; ++b) store_nibbles(words, b, blocks[b].q);
}

void store_codes(const Floats (&code)[16], Q5_1::Block (&blocks)[tile_blocks]) {
  std::uint32_t words[4][16], fifth[tile_blocks];
  five_bits_in_words(code, words, fifth);
  for (int b = 0; b < tile_blocks; ++b) {
    store_nibbles(words, b, blocks[b].q);
    store(blocks[b].qh, fifth[b]);
  }
}

template <class Block>
void write_affine_tile(const Tile& tile, float last, const RangeSearch& search, Block (&blocks)[tile_blocks]) {
  Floats wx[16];
  const GroupTotals total = group_totals<32>(tile, wx);
  const Affine fit = fit_affine<32, true>(tile, wx, total, last, search);
  std::uint16_t d[tile_blocks], m[tile_blocks];
  const Floats scale = round_to_f16(fit.scale, d);
  const Floats inverse = if_less(set(0), scale, set(1) / scale, set(0));
  // The offset that suits the scale as rounded.
  const CodeSums sums = sums_of_codes<32>(tile, wx, inverse, fit.min, last);
  const Floats min = round_to_f16((total.x - scale * sums.code) / total.w, m);
  Floats code[16];
  for (int i = 0; i < 16; ++i) code[i] = affine_code(tile.x[i], inverse, min, set(last));
  for (int b = 0; b < tile_blocks; ++b) {
    blocks[b].d.set(d[b]);
    blocks[b].m.set(m[b]);
  }
  store_codes(code, blocks);
}

void write_tile(const Tile& tile, Q4_1::Block (&blocks)[tile_blocks]) {
  write_affine_tile(tile, 15, q4_1_search, blocks);
}
void write_tile(const Tile& tile, Q5_1::Block (&blocks)[tile_blocks]) {
  write_affine_tile(tile, 31, q5_1_search, blocks);
}

template <class Block>
void quantize_affine_tile(const float* values, float last, Block (&blocks)[tile_blocks]) {
  Floats x[16];
  transpose(values, x);
  // Both halves of a block begin with its first value, so that NaN counts as it does one after the other.
  Floats low = first_of_pair(x[0]), high = low;
  for (int i = 0; i < 16; ++i) {
    low = smaller(x[i], low);
    high = larger(x[i], high);
  }
  low = smaller(second_of_pair(low), first_of_pair(low));
  high = larger(second_of_pair(high), first_of_pair(high));
  const Floats d = (high - low) / set(last);
  const Floats inverse = if_equal(d, set(0), set(0), set(1) / d);
  Floats code[16];
  for (int i = 0; i < 16; ++i) code[i] = whole_part(clamp((x[i] - low) * inverse + set(0.5F), set(0), set(last)));
  std::uint16_t half[16], half_low[16];
  f16_of_lanes(d, half);
  f16_of_lanes(low, half_low);
  for (int b = 0; b < tile_blocks; ++b) {
    blocks[b].d.set(half[2 * b]);
    blocks[b].m.set(half_low[2 * b]);
  }
  store_codes(code, blocks);
}

void quantize_tile(const float* values, Q4_1::Block (&blocks)[tile_blocks]) {
  quantize_affine_tile(values, 15, blocks);
}
void quantize_tile(const float* values, Q5_1::Block (&blocks)[tile_blocks]) {
  quantize_affine_tile(values, 31, blocks);
}

}  // namespace
}  // namespace qn::quant
