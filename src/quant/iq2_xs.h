// IQ2_XS: 256 weights; eight magnitudes are a point of a grid of 512, with 7 sign bits; a 4-bit scale for every 16, under one f16 factor.
// weight = d / 8 * (2 * scale + 1) * +-grid.   A 16-bit word is the grid's number (9 bits) and the signs. Nibble g % 2 of scales[g / 2] is
// scale g.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ2_XS {
  static constexpr std::string_view name = "IQ2_XS";
  static constexpr std::uint32_t gguf_type = 17;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 43;
  static constexpr int max_scale = 31;

  struct Block {
    Le16 d;
    Le16 points[32];
    std::uint8_t scales[8];
  };
  static_assert(sizeof(Block) == 74);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16() * 0.125F;
    for (int group = 0; group < 16; ++group)
      out.scale[group] = static_cast<std::int16_t>(2 * (block.scales[group / 2] >> group % 2 * 4 & 15) + 1);
    for (int i = 0; i < 32; ++i) {
      const std::uint32_t word = block.points[i].value();
      const auto point = load<std::uint64_t>(iq2_xs_grid.row[word & 511]);
      store(out.code + i * 8, negate_where(point, with_eighth_sign(word >> 9)));
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ2_XS>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq2_xs.h
  static constexpr bool needs_importance = true;
};

}  // namespace qn::quant
