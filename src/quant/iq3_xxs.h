// IQ3_XXS: 256 weights; four magnitudes are a point of a grid of 256, eight share 7 sign bits; a 4-bit scale for every 32, under one f16
// factor. weight = d / 4 * (2 * scale + 1) * +-grid.   Run r of 32: 32 bits hold four times 7 signs, and the scale on top.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ3_XXS {
  static constexpr std::string_view name = "IQ3_XXS";
  static constexpr std::uint32_t gguf_type = 18;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 62;
  static constexpr int max_scale = 31;

  struct Block {
    Le16 d;
    std::uint8_t q[64];
    std::uint8_t signs[8][4];
  };
  static_assert(sizeof(Block) == 98);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16() * 0.25F;
    for (int run = 0; run < 8; ++run) {
      const auto signs = load<std::uint32_t>(block.signs[run]);
      out.scale[2 * run] = out.scale[2 * run + 1] = static_cast<std::int16_t>(2 * (signs >> 28) + 1);
      for (int i = 0; i < 4; ++i) {
        const std::uint8_t* q = block.q + run * 8 + i * 2;
        const auto first = load<std::uint32_t>(iq3_xxs_grid.row[q[0]]);
        const auto second = load<std::uint32_t>(iq3_xxs_grid.row[q[1]]);
        const std::uint64_t points = first | std::uint64_t{second} << 32;
        store(out.code + run * 32 + i * 8, negate_where(points, with_eighth_sign(signs >> 7 * i & 127)));
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ3_XXS>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq3_xxs.h
};

}  // namespace qn::quant
