// F16: one IEEE 754 binary16 a weight.
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct F16 {
  static constexpr std::string_view name = "F16";
  static constexpr std::uint32_t gguf_type = 1;
  static constexpr int weights = 1;

  struct Block {
    Le16 half;
  };

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { *out = block.half.f16(); }
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) { block.half.set(f32_to_f16(*values)); }
};

}  // namespace qn::quant
