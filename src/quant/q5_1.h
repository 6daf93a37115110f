// Q5_1: 32 codes of 5 bits, an f16 scale and an f16 offset.   weight = d * q + m
// The low nibbles hold weights [0, 16), the high nibbles [16, 32); qh holds the fifth bit of weight i at bit i. As integers: dmin = -m, min
// = 1.
#pragma once

#include "quant/five_bits.h"

namespace qn::quant {

struct Q5_1 {
  static constexpr std::string_view name = "Q5_1";
  static constexpr std::uint32_t gguf_type = 7;
  static constexpr int weights = 32;
  static constexpr bool has_min = true;
  static constexpr int max_code = 31;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    Le16 m;
    std::uint8_t qh[4];
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 24);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), -block.m.f16(), 1);
    unpack_five_bits(block.q, block.qh, out.code);
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q5_1>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q4_1.h

  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    const Range range = range_of<weights>(values);
    const float d = (range.max - range.min) / 31.0F;
    const float inverse = inverse_or_zero(d);
    block.d.set(f32_to_f16(d));
    block.m.set(f32_to_f16(range.min));
    std::uint8_t code[weights];
    for (int i = 0; i < weights; ++i) code[i] = static_cast<std::uint8_t>(clamp_code((values[i] - range.min) * inverse + 0.5F, 31));
    pack_five_bits(code, block.q, block.qh);
  }
};

}  // namespace qn::quant
