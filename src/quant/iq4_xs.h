// IQ4_XS: 256 codes as in IQ4_NL; a 6-bit scale for every 32, under one f16 factor.   weight = d * (scale - 32) * step[q]
// In the 16 bytes of a run of 32 the low nibbles hold the first 16 weights.
// Scale of run r: low four bits in nibble r % 2 of scales_low[r / 2], upper two at bits [2r, 2r + 2) of scales_high.
#pragma once

#include "quant/iq4_steps.h"

namespace qn::quant {

struct IQ4_XS {
  static constexpr std::string_view name = "IQ4_XS";
  static constexpr std::uint32_t gguf_type = 23;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 127;
  static constexpr int max_scale = 32;

  struct Block {
    Le16 d;
    Le16 scales_high;
    std::uint8_t scales_low[4];
    std::uint8_t q[128];
  };
  static_assert(sizeof(Block) == 136);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16();
    for (int run = 0; run < 8; ++run) {
      const int low = block.scales_low[run / 2] >> run % 2 * 4 & 15;
      const int high = block.scales_high.value() >> run * 2 & 3;
      out.scale[2 * run] = out.scale[2 * run + 1] = static_cast<std::int16_t>((low | high << 4) - 32);
      const std::uint8_t* q = block.q + run * 16;
      std::int8_t* code = out.code + run * 32;
      for (int i = 0; i < 16; ++i) {
        code[i] = iq4_step[q[i] & 15];
        code[i + 16] = iq4_step[q[i] >> 4];
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ4_XS>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq4_xs.h
};

}  // namespace qn::quant
