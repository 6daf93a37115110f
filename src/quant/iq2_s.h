// IQ2_S: 256 weights; eight magnitudes are a point of a grid of 1024, with 8 sign bits; a 4-bit scale for every 16, under one f16 factor.
// weight = d / 8 * (2 * scale + 1) * +-grid.   Point i: q[i], and two more bits at [i % 4 * 2, + 2) of qh[i / 4]. Nibble g % 2 of scales[g
// / 2] is scale g.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ2_S {
  static constexpr std::string_view name = "IQ2_S";
  static constexpr std::uint32_t gguf_type = 22;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 43;
  static constexpr int max_scale = 31;

  struct Block {
    Le16 d;
    std::uint8_t q[32];
    std::uint8_t signs[32];
    std::uint8_t qh[8];
    std::uint8_t scales[8];
  };
  static_assert(sizeof(Block) == 82);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16() * 0.125F;
    for (int group = 0; group < 16; ++group)
      out.scale[group] = static_cast<std::int16_t>(2 * (block.scales[group / 2] >> group % 2 * 4 & 15) + 1);
    for (int i = 0; i < 32; ++i) {
      const int high = block.qh[i / 4] >> i % 4 * 2 & 3;
      const auto point = load<std::uint64_t>(iq2_s_grid.row[block.q[i] | high << 8]);
      store(out.code + i * 8, negate_where(point, block.signs[i]));
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ2_S>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq2_s.h
};

}  // namespace qn::quant
