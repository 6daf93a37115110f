// Q8_0: 32 signed bytes and one f16 scale.   weight = d * q
#pragma once

#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

struct Q8_0 {
  static constexpr std::string_view name = "Q8_0";
  static constexpr std::uint32_t gguf_type = 8;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 128;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    std::int8_t q[32];
  };
  static_assert(sizeof(Block) == 34);

  QN_QUANT_INLINE static void unpack(const Block& block, IntBlock& out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    std::memcpy(out.code, block.q, sizeof block.q);
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q8_0>(block, out); }

  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    const float d = largest_magnitude<weights>(values) / 127.0F;
    const float inverse = inverse_or_zero(d);
    block.d.set(f32_to_f16(d));
    int code[weights];
    for (int i = 0; i < weights; ++i) code[i] = round_code(values[i] * inverse, 127);
    for (int i = 0; i < weights; ++i) block.q[i] = static_cast<std::int8_t>(code[i]);
  }
};

}  // namespace qn::quant
