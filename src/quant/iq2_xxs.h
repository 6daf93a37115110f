// IQ2_XXS: 256 weights; eight magnitudes are a point of a grid of 256, with 7 sign bits; a 4-bit scale for every 32, under one f16 factor.
// weight = d / 8 * (2 * scale + 1) * +-grid.   A run of 32 is four grid bytes, then 32 bits: four times 7 signs, and the scale on top.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ2_XXS {
  static constexpr std::string_view name = "IQ2_XXS";
  static constexpr std::uint32_t gguf_type = 16;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 43;
  static constexpr int max_scale = 31;

  struct Block {
    Le16 d;
    std::uint8_t runs[8][8];
  };
  static_assert(sizeof(Block) == 66);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16() * 0.125F;
    for (int run = 0; run < 8; ++run) {
      const std::uint8_t* code = block.runs[run];
      const auto signs = load<std::uint32_t>(block.runs[run] + 4);
      out.scale[2 * run] = out.scale[2 * run + 1] = static_cast<std::int16_t>(2 * (signs >> 28) + 1);
      for (int i = 0; i < 4; ++i) {
        const auto point = load<std::uint64_t>(iq2_xxs_grid.row[code[i]]);
        store(out.code + run * 32 + i * 8, negate_where(point, with_eighth_sign(signs >> 7 * i & 127)));
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ2_XXS>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq2_xxs.h
  static constexpr bool needs_importance = true;
};

}  // namespace qn::quant
