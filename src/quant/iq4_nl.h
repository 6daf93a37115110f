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

  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq4_nl.h
  static constexpr bool for_cache = true;
};

}  // namespace qn::quant
