// Q6_K: 256 codes of 6 bits; a signed 8-bit scale for every 16, under one f16 factor.   weight = d * scale * (q - 32)
// Half a block is 128 weights in four runs of 32:   run 0: ql[0, 32) low    1: ql[32, 64) low    2: ql[0, 32) high    3: ql[32, 64) high
// and qh[0, 32) holds the upper two bits of run r at bits [2r, 2r + 2).
#pragma once

#include "quant/block.h"

namespace qn::quant {

struct Q6_K {
  static constexpr std::string_view name = "Q6_K";
  static constexpr std::uint32_t gguf_type = 14;
  static constexpr int weights = 256;
  static constexpr bool has_min = false;
  static constexpr int max_code = 32;
  static constexpr int max_scale = 128;

  struct Block {
    std::uint8_t ql[128];
    std::uint8_t qh[64];
    std::int8_t scales[16];
    Le16 d;
  };
  static_assert(sizeof(Block) == 210);

  QN_QUANT_INLINE static void unpack(const Block& __restrict block, IntBlock& __restrict out) {
    set_no_min(out);
    out.d = block.d.f16();
    for (int group = 0; group < 16; ++group) out.scale[group] = block.scales[group];
    for (int half = 0; half < 2; ++half) {
      const std::uint8_t* ql = block.ql + half * 64;
      const std::uint8_t* qh = block.qh + half * 32;
      std::int8_t* code = out.code + half * 128;
      for (int i = 0; i < 32; ++i) {
        code[i] = static_cast<std::int8_t>(((ql[i] & 15) | (qh[i] & 3) << 4) - 32);
        code[i + 32] = static_cast<std::int8_t>(((ql[i + 32] & 15) | (qh[i] >> 2 & 3) << 4) - 32);
        code[i + 64] = static_cast<std::int8_t>((ql[i] >> 4 | (qh[i] >> 4 & 3) << 4) - 32);
        code[i + 96] = static_cast<std::int8_t>((ql[i + 32] >> 4 | (qh[i] >> 6) << 4) - 32);
      }
    }
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Q6_K>(block, out); }
  static void write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);  // quant/write/q6_k.h
};

}  // namespace qn::quant
