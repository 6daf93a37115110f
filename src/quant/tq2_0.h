// TQ2_0: 256 ternary weights, 2 bits each, and one f16 scale.   weight = d * (q - 1)
// Half a block is 128 weights: run r of 32 at bits [2r, 2r + 2) of 32 bytes. Writers leave out q = 3; it reads as 2.
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct TQ2_0 {
  static constexpr std::string_view name = "TQ2_0";
  static constexpr std::uint32_t gguf_type = 35;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 2;
  static constexpr int max_scale = 1;

  struct Block {
    std::uint8_t q[64];
    Le16 d;
  };
  static_assert(sizeof(Block) == 66);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    for (int run = 0; run < 8; ++run) {
      const std::uint8_t* q = block.q + run / 4 * 32;
      for (int i = 0; i < 32; ++i) out.code[run * 32 + i] = static_cast<std::int8_t>((q[i] >> run % 4 * 2 & 3) - 1);
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<TQ2_0>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/tq2_0.h
};

}  // namespace qn::quant
