// IQ1_M: 256 ternary weights; eight are a point of a grid of 2048 with an offset of +-1/8; a 3-bit scale for every 16, under one f16
// factor. weight = d * (2 * scale + 1) * (grid +- 1/8).   In eighths, 8 * grid +- 1 is an integer, and d / 8 its factor. Point i: q[i],
// three upper bits and the offset's sign in nibble i % 2 of qh[i / 2]. Scale word w holds four scales at [3k, 3k + 3), and on top four bits
// of d, lowest first.
#pragma once

#include "quant/block.h"
#include "quant/iq_grids.h"

namespace qn::quant {

struct IQ1_M {
  static constexpr std::string_view name = "IQ1_M";
  static constexpr std::uint32_t gguf_type = 29;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 9;
  static constexpr int max_scale = 15;

  struct Block {
    std::uint8_t q[32];
    std::uint8_t qh[16];
    Le16 scales[4];
  };
  static_assert(sizeof(Block) == 56);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    std::uint16_t d = 0;
    for (int word = 0; word < 4; ++word) d = static_cast<std::uint16_t>(d | block.scales[word].value() >> 12 << 4 * word);
    out.d = f16_to_f32(d) * 0.125F;
    for (int group = 0; group < 16; ++group)
      out.scale[group] = static_cast<std::int16_t>(2 * (block.scales[group / 4].value() >> group % 4 * 3 & 7) + 1);
    for (int i = 0; i < 32; ++i) {
      const int high = block.qh[i / 2] >> i % 2 * 4;
      const int offset = high & 8 ? -1 : 1;
      const std::int8_t* point = iq1_grid.row[block.q[i] | (high & 7) << 8];
      for (int k = 0; k < 8; ++k) out.code[i * 8 + k] = static_cast<std::int8_t>(point[k] + offset);
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<IQ1_M>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/iq1_m.h
};

}  // namespace qn::quant
