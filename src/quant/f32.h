// F32: one IEEE 754 binary32 a weight.
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct F32 {
  static constexpr std::string_view name = "F32";
  static constexpr std::uint32_t gguf_type = 0;
  static constexpr int weights = 1;

  struct Block {
    std::uint8_t bytes[4];
  };

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { std::memcpy(out, block.bytes, sizeof block.bytes); }
  QN_QUANT_INLINE static void quantize(const float* values, Block& block) { std::memcpy(block.bytes, values, sizeof block.bytes); }
};

}  // namespace qn::quant
