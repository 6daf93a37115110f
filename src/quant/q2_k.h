// Q2_K: 256 codes of 2 bits; 4-bit scale and minimum for every 16, under two f16 factors.   weight = d * scale * q - dmin * min
// Half a block is 128 weights: run r of 32 at bits [2r, 2r + 2) of 32 bytes. A scale byte holds the scale (low) and the minimum (high).
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct Q2_K {
  static constexpr std::string_view name = "Q2_K";
  static constexpr std::uint32_t gguf_type = 10;
  static constexpr int weights = 256;
  static constexpr bool has_min = true;
  static constexpr int max_code = 3;
  static constexpr int max_scale = 15;

  struct Block {
    std::uint8_t scales[16];
    std::uint8_t q[64];
    Le16 d;
    Le16 dmin;
  };
  static_assert(sizeof(Block) == 84);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    out.d = block.d.f16();
    out.dmin = block.dmin.f16();
    for (int group = 0; group < 16; ++group) {
      out.scale[group] = block.scales[group] & 15;
      out.min[group] = block.scales[group] >> 4;
    }
    for (int run = 0; run < 8; ++run) {
      const std::uint8_t* q = block.q + run / 4 * 32;
      for (int i = 0; i < 32; ++i) out.code[run * 32 + i] = static_cast<std::int8_t>(q[i] >> run % 4 * 2 & 3);
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q2_K>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q2_k.h
};

}  // namespace qn::quant
