// Q3_K: 256 codes of 3 bits; a 6-bit scale for every 16, under one f16 factor.   weight = d * (scale - 32) * (q - 4)
// Half a block is 128 weights: the low bits of run r of 32 at bits [2r, 2r + 2) of 32 bytes. The third bit of run r of the whole block is
// bit r of the 32 bytes of qh.
// Scale g: low four bits in the nibble g / 8 of scales[g % 8], upper two at bits [g / 4 * 2, + 2) of scales[8 + g % 4].
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct Q3_K {
  static constexpr std::string_view name = "Q3_K";
  static constexpr std::uint32_t gguf_type = 11;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 4;
  static constexpr int max_scale = 32;

  struct Block {
    std::uint8_t qh[32];
    std::uint8_t q[64];
    std::uint8_t scales[12];
    Le16 d;
  };
  static_assert(sizeof(Block) == 110);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16();
    for (int group = 0; group < 16; ++group) {
      const int low = block.scales[group % 8] >> group / 8 * 4 & 15;
      const int high = block.scales[8 + group % 4] >> group / 4 * 2 & 3;
      out.scale[group] = static_cast<std::int16_t>((low | high << 4) - 32);
    }
    for (int run = 0; run < 8; ++run) {
      const std::uint8_t* q = block.q + run / 4 * 32;
      for (int i = 0; i < 32; ++i) {
        const int low = q[i] >> run % 4 * 2 & 3;
        const int high = block.qh[i] >> run & 1;
        out.code[run * 32 + i] = static_cast<std::int8_t>((low | high << 2) - 4);
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q3_K>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q3_k.h
};

}  // namespace qn::quant
