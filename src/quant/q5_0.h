// Q5_0: 32 codes of 5 bits and one f16 scale.   weight = d * (q - 16)
// The low nibbles hold weights [0, 16), the high nibbles [16, 32); qh holds the fifth bit of weight i at bit i. The 16 is folded into the
// code.
#pragma once

#include "quant/five_bits.h"

namespace qn::quant {

struct Q5_0 {
  static constexpr std::string_view name = "Q5_0";
  static constexpr std::uint32_t gguf_type = 6;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 16;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    std::uint8_t qh[4];
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 22);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    unpack_five_bits(block.q, block.qh, out.code);
    for (int i = 0; i < weights; ++i) out.code[i] = static_cast<std::int8_t>(out.code[i] - 16);
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q5_0>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q4_0.h

  // The value farthest from zero becomes code -16, the code without a positive twin.
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    const float d = extreme_of<weights>(values) / -16.0F;
    const float inverse = inverse_or_zero(d);
    block.d.set(f32_to_f16(d));
    std::uint8_t code[weights];
    for (int i = 0; i < weights; ++i) code[i] = static_cast<std::uint8_t>(clamp_code(values[i] * inverse + 16.5F, 31));
    pack_five_bits(code, block.q, block.qh);
  }
};

}  // namespace qn::quant
