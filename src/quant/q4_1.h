// Q4_1: 32 codes of 4 bits, an f16 scale and an f16 offset.   weight = d * q + m
// The low nibbles hold weights [0, 16), the high nibbles [16, 32). As integers: dmin = -m, min = 1.
#pragma once

#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

struct Q4_1 {
  static constexpr std::string_view name = "Q4_1";
  static constexpr std::uint32_t gguf_type = 3;
  static constexpr int weights = 32;
  static constexpr bool has_min = true;
  static constexpr int max_code = 15;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    Le16 m;
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 20);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), -block.m.f16(), 1);
    for (int i = 0; i < 16; ++i) {
      out.code[i] = static_cast<std::int8_t>(block.q[i] & 15);
      out.code[i + 16] = static_cast<std::int8_t>(block.q[i] >> 4);
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q4_1>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q4_1.h

  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    const Range range = range_of<weights>(values);
    const float d = (range.max - range.min) / 15.0F;
    const float inverse = inverse_or_zero(d);
    block.d.set(f32_to_f16(d));
    block.m.set(f32_to_f16(range.min));
    for (int i = 0; i < 16; ++i) {
      const int low = clamp_code((values[i] - range.min) * inverse + 0.5F, 15);
      const int high = clamp_code((values[i + 16] - range.min) * inverse + 0.5F, 15);
      block.q[i] = static_cast<std::uint8_t>(low | high << 4);
    }
  }
};

}  // namespace qn::quant
