// IQ1_S: 256 ternary weights; eight are a point of a grid of 2048; a 3-bit scale and an offset of +-1/8 for every 32, under one f16 factor.
// weight = d * (2 * scale + 1) * (grid +- 1/8).   In eighths, 8 * grid +- 1 is an integer, and d / 8 its factor.
// qh of run r: three upper bits of four points at [3i, 3i + 3), the scale at [12, 15), the offset's sign at 15.
#pragma once

#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ1_S {
  static constexpr std::string_view name = "IQ1_S";
  static constexpr std::uint32_t gguf_type = 19;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 9;
  static constexpr int max_scale = 15;

  struct Block {
    Le16 d;
    std::uint8_t q[32];
    Le16 qh[8];
  };
  static_assert(sizeof(Block) == 50);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16() * 0.125F;
    for (int run = 0; run < 8; ++run) {
      const int qh = block.qh[run].value();
      const int offset = qh & 0x8000 ? -1 : 1;
      out.scale[2 * run] = out.scale[2 * run + 1] = static_cast<std::int16_t>(2 * (qh >> 12 & 7) + 1);
      for (int i = 0; i < 4; ++i) {
        const std::int8_t* point = iq1_grid.row[block.q[run * 4 + i] | (qh >> 3 * i & 7) << 8];
        for (int k = 0; k < 8; ++k) out.code[run * 32 + i * 8 + k] = static_cast<std::int8_t>(point[k] + offset);
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ1_S>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq1_s.h
  static constexpr bool needs_importance = true;
};

}  // namespace qn::quant
