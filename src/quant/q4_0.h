// Q4_0: 32 codes of 4 bits and one f16 scale.   weight = d * (q - 8)
// The low nibbles hold weights [0, 16), the high nibbles [16, 32). The 8 is folded into the code.
#pragma once

#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

struct Q4_0 {
  static constexpr std::string_view name = "Q4_0";
  static constexpr std::uint32_t gguf_type = 2;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 8;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 18);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    for (int i = 0; i < 16; ++i) {
      out.code[i] = static_cast<std::int8_t>((block.q[i] & 15) - 8);
      out.code[i + 16] = static_cast<std::int8_t>((block.q[i] >> 4) - 8);
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q4_0>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q4_0.h

  // The value farthest from zero becomes code -8, the code without a positive twin.
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    const float d = extreme_of<weights>(values) / -8.0F;
    const float inverse = inverse_or_zero(d);
    block.d.set(f32_to_f16(d));
    for (int i = 0; i < 16; ++i) {
      const int low = clamp_code(values[i] * inverse + 8.5F, 15);
      const int high = clamp_code(values[i + 16] * inverse + 8.5F, 15);
      block.q[i] = static_cast<std::uint8_t>(low | high << 4);
    }
  }
};

}  // namespace qn::quant
