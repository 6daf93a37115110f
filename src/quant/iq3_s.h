// IQ3_S: 256 weights; four magnitudes are a point of a grid of 512, with a sign bit each; a 4-bit scale for every 32, under one f16 factor.
// weight = d * (2 * scale + 1) * +-grid.   Point i: q[i], and a ninth bit at bit i % 8 of qh[i / 8]. Nibble r % 2 of scales[r / 2] is the
// scale of run r of 32.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ3_S {
  static constexpr std::string_view name = "IQ3_S";
  static constexpr std::uint32_t gguf_type = 21;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 15;
  static constexpr int max_scale = 31;

  struct Block {
    Le16 d;
    std::uint8_t q[64];
    std::uint8_t qh[8];
    std::uint8_t signs[32];
    std::uint8_t scales[4];
  };
  static_assert(sizeof(Block) == 110);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16();
    for (int group = 0; group < 16; ++group)
      out.scale[group] = static_cast<std::int16_t>(2 * (block.scales[group / 4] >> group / 2 % 2 * 4 & 15) + 1);
    for (int i = 0; i < 32; ++i) {
      const int ninth = block.qh[i / 4] >> i % 4 * 2;
      const auto first = load<std::uint32_t>(iq3_s_grid.row[block.q[2 * i] | (ninth & 1) << 8]);
      const auto second = load<std::uint32_t>(iq3_s_grid.row[block.q[2 * i + 1] | (ninth >> 1 & 1) << 8]);
      store(out.code + i * 8, negate_where(first | std::uint64_t{second} << 32, block.signs[i]));
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ3_S>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq3_s.h
};

}  // namespace qn::quant
