// BF16: the upper half of an IEEE 754 binary32 a weight.
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct BF16 {
  static constexpr std::string_view name = "BF16";
  static constexpr std::uint32_t gguf_type = 30;
  static constexpr int weights = 1;

  struct Block {
    Le16 half;
  };

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { *out = bf16_to_f32(block.half.value()); }
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) { block.half.set(f32_to_bf16(*values)); }
};

}  // namespace qn::quant
