// IQ4_NL: 32 codes of 4 bits into a table of 16 uneven steps, and one f16 scale.   weight = d * step[q]
// The low nibbles hold weights [0, 16), the high nibbles [16, 32).
#pragma once

#include "quant/iq4_steps.h"

namespace qn::quant {

struct IQ4_NL {
  static constexpr std::string_view name = "IQ4_NL";
  static constexpr std::uint32_t gguf_type = 20;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 127;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 18);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    for (int i = 0; i < 16; ++i) {
      out.code[i] = iq4_step[block.q[i] & 15];
      out.code[i + 16] = iq4_step[block.q[i] >> 4];
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ4_NL>(block, out); }

  // The value farthest from zero goes to step -127; then the scale is fitted once to the steps chosen (least squares), and they are chosen
  // anew.
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) {
    int index[weights];
    nearest_iq4_steps(values, inverse_or_zero(extreme_of<weights>(values) / -127.0F), index);
    float product = 0;
    float square = 0;
    for (int i = 0; i < weights; ++i) {
      const auto step = static_cast<float>(iq4_step[index[i]]);
      product += values[i] * step;
      square += step * step;  // never 0: no step is
    }
    block.d.set(f32_to_f16(product / square));
    nearest_iq4_steps(values, inverse_or_zero(block.d.f16()), index);
    for (int i = 0; i < 16; ++i) block.q[i] = static_cast<std::uint8_t>(index[i] | index[i + 16] << 4);
  }
};

}  // namespace qn::quant
