// Q5_K: 256 codes of 5 bits; 6-bit scale and minimum for every 32, under two f16 factors.   weight = d * scale * q - dmin * min
// Nibbles as in Q4_K; the fifth bit of run r of 32 weights is bit r of the 32 bytes of qh.
#pragma once

#include "quant/k_scales.h"

namespace qn::quant {

struct Q5_K {
  static constexpr std::string_view name = "Q5_K";
  static constexpr std::uint32_t gguf_type = 13;
  static constexpr int weights = 256;
  static constexpr bool has_min = true;
  static constexpr int max_code = 31;
  static constexpr int max_scale = 63;

  struct Block {
    Le16 d;
    Le16 dmin;
    std::uint8_t scales[12];  // see k_scales.h
    std::uint8_t qh[32];
    std::uint8_t q[128];
  };
  static_assert(sizeof(Block) == 176);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    out.d = block.d.f16();
    out.dmin = block.dmin.f16();
    unpack_k_scales(block.scales, out);
    for (int chunk = 0; chunk < 4; ++chunk) {
      const std::uint8_t* q = block.q + chunk * 32;
      std::int8_t* code = out.code + chunk * 64;
      for (int i = 0; i < 32; ++i) {
        const int fifth = block.qh[i] >> 2 * chunk;
        code[i] = static_cast<std::int8_t>((q[i] & 15) | (fifth & 1) << 4);
        code[i + 32] = static_cast<std::int8_t>(q[i] >> 4 | (fifth >> 1 & 1) << 4);
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q5_K>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q5_k.h
};

}  // namespace qn::quant
