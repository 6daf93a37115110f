// A toy format, added as docs/ADDING.md says: one file and one line. 32 signed bytes and a power of two.   weight = 2^e * q
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct TOY8 {
  static constexpr std::string_view name = "TOY8";
  static constexpr std::uint32_t gguf_type = 1000;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 128;
  static constexpr int max_scale = 1;

  struct Block {
    std::int8_t exponent;  // in [-20, 20]
    std::int8_t q[32];
  };

  QN_QUANT_INLINE static void unpack(const Block& block, IntBlock& out) {
    float d = 1;
    for (int i = 0; i < block.exponent; ++i) d *= 2;
    for (int i = 0; i > block.exponent; --i) d *= 0.5F;
    set_single_scale<weights>(out, d, 0, 0);
    std::memcpy(out.code, block.q, sizeof block.q);
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<TOY8>(block, out); }
};

}  // namespace qn::quant
