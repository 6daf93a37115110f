// Formats with blocks of 32: eight blocks are a tile, two lanes each.
#pragma once

#include <algorithm>

#include "quant/write/tile.h"

namespace qn::quant {
namespace {

constexpr int tile_blocks = 8;

// The scale of each of the eight blocks, as it will be read: rounded to f16 in both its lanes.
QN_LANES_INLINE Floats round_to_f16(Floats factor, std::uint16_t (&half)[tile_blocks]) {
  float lane[16];
  store_lanes(lane, factor);
  std::uint16_t halves[16];
  for (int i = 0; i < 16; ++i) halves[i] = bounded_f16(lane[i]);
  for (int i = 0; i < 16; ++i) lane[i] = f16_to_f32(halves[i]);
  for (int i = 0; i < tile_blocks; ++i) half[i] = halves[2 * i];
  return load_lanes(lane);
}

// The codes of eight blocks, a nibble each: byte i of a block holds value i and, above it, value 16 + i.
QN_LANES_INLINE void nibbles_in_words(const Floats (&code)[16], std::uint32_t (&words)[4][16]) {
  Ints pair[16];
  for (int i = 0; i < 16; ++i) pair[i] = to_ints(code[i] + set(16) * swap_neighbours(code[i]));
  codes_in_words(pair, words);
}

QN_LANES_INLINE void store_nibbles(const std::uint32_t (&words)[4][16], int block, std::uint8_t (&q)[16]) {
  for (int j = 0; j < 4; ++j) std::memcpy(q + 4 * j, &words[j][2 * block], 4);
}

// Nibbles and fifth bits of eight blocks: bit i of `fifth` is that of value i.
QN_LANES_INLINE void five_bits_in_words(const Floats (&code)[16], std::uint32_t (&words)[4][16], std::uint32_t (&fifth)[tile_blocks]) {
  Floats low[16];
  Ints upper = set_int(0);
  for (int i = 15; i >= 0; --i) {
    const Floats bit = if_less(set(15.5F), code[i], set(16), set(0));
    low[i] = code[i] - bit;
    upper = upper + upper + to_ints(bit);
  }
  nibbles_in_words(low, words);
  std::uint32_t bits[16];
  store_as(bits, upper);
  for (int b = 0; b < tile_blocks; ++b) fifth[b] = bits[2 * b] >> 4 | bits[2 * b + 1] << 12;
}

// write_tile(tile, blocks) for eight blocks at a time; what the last ones lack is zeros, and is not kept.
template <class Block>
void write_small_blocks(const float* values, const float* importance, Block* blocks, std::size_t block_count) {
  for (std::size_t first = 0; first < block_count; first += tile_blocks) {
    const std::size_t count = std::min<std::size_t>(tile_blocks, block_count - first);
    const float* x = values + first * 32;
    const float* w = importance == nullptr ? nullptr : importance + first * 32;
    float padded[256], padded_w[256];
    Block all[tile_blocks];
    if (count < tile_blocks) {
      std::memset(padded, 0, sizeof padded);
      std::memcpy(padded, x, count * 32 * sizeof(float));
      x = padded;
      if (w != nullptr) {
        std::memset(padded_w, 0, sizeof padded_w);
        std::memcpy(padded_w, w, count * 32 * sizeof(float));
        w = padded_w;
      }
    }
    Tile tile;
    load_tile<32>(x, w, tile);
    write_tile(tile, all);
    std::memcpy(blocks + first, all, count * sizeof(Block));
  }
}

}  // namespace
}  // namespace qn::quant
