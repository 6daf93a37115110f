// TQ1_0: 256 ternary weights, five to a byte, and one f16 scale.   weight = d * (digit - 1)
// A byte is a fraction of 256: its first base-3 digit after the point is byte * 3 / 256, digit n is that of byte * 3^n mod 256.
// Weights [0, 160): digit n of q[0, 32) is run n of 32.   [160, 240): digit n of q[32, 48) is run n of 16.   [240, 256): digit n of qh is
// run n of 4.
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct TQ1_0 {
  static constexpr std::string_view name = "TQ1_0";
  static constexpr std::uint32_t gguf_type = 34;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 1;
  static constexpr int max_scale = 1;

  struct Block {
    std::uint8_t q[48];
    std::uint8_t qh[4];
    Le16 d;
  };
  static_assert(sizeof(Block) == 54);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    unpack_digits<32, 5>(block.q, out.code);
    unpack_digits<16, 5>(block.q + 32, out.code + 160);
    unpack_digits<4, 4>(block.qh, out.code + 240);
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<TQ1_0>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/tq1_0.h

 private:
  template <int bytes, int digits>
  QN_QUANT_INLINE static void unpack_digits(const std::uint8_t* __restrict q, std::int8_t* __restrict code) {
    int power = 1;
    for (int n = 0; n < digits; ++n, power *= 3) {
      for (int i = 0; i < bytes; ++i) {
        const auto fraction = static_cast<std::uint8_t>(q[i] * power);
        code[n * bytes + i] = static_cast<std::int8_t>((fraction * 3 >> 8) - 1);
      }
    }
  }
};

}  // namespace qn::quant
