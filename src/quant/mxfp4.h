// MXFP4: 32 codes of 4 bits (e2m1) and one 8-bit power of two (e8m0).   weight = 2^(e - 127) * e2m1(q)
// The codes are kept doubled, which makes them integers, and d is half the power of two.
// The low nibbles hold weights [0, 16), the high nibbles [16, 32).
//   source   OCP Microscaling Formats (MX) 1.0
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct MXFP4 {
  static constexpr std::string_view name = "MXFP4";
  static constexpr std::uint32_t gguf_type = 39;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 12;
  static constexpr int max_scale = 1;

  struct Block {
    std::uint8_t e;
    std::uint8_t q[16];
  };
  static_assert(sizeof(Block) == 17);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, half_power(block.e), 0, 0);
    for (int i = 0; i < 16; ++i) {
      out.code[i] = doubled[block.q[i] & 15];
      out.code[i + 16] = doubled[block.q[i] >> 4];
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<MXFP4>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/mxfp4.h

  // 2^(e - 128); the two smallest are denormals. 255, which the standard calls NaN, reads as 2^127.
  QN_QUANT_INLINE static float half_power(std::uint32_t e) { return float_of(e < 2 ? 0x00200000u << e : (e - 1) << 23); }

  static constexpr std::int8_t doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
};

}  // namespace qn::quant
