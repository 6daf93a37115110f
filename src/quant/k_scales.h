// The 12 bytes in which Q4_K and Q5_K keep eight scales and eight minima of 6 bits, one of each for 32 weights.
//   bytes [0, 4)   low 6 bits: scales 0..3    high 2 bits: upper bits of scales 4..7
//   bytes [4, 8)   low 6 bits: minima 0..3    high 2 bits: upper bits of minima 4..7
//   bytes [8, 12)  low 4 bits: lower bits of scales 4..7    high 4 bits: lower bits of minima 4..7
#pragma once

#include "quant/block.h"

namespace qn::quant {

QN_QUANT_INLINE void unpack_k_scales(const std::uint8_t (&packed)[12], IntBlock& out) {
  std::uint32_t a = 0, b = 0, c = 0;
  std::memcpy(&a, packed, 4);
  std::memcpy(&b, packed + 4, 4);
  std::memcpy(&c, packed + 8, 4);
  // Four 6-bit values at a time, a byte each.
  constexpr std::uint32_t low6 = 0x3F3F3F3F, low4 = 0x0F0F0F0F, bits45 = 0x30303030;
  const std::uint32_t scales[2] = {a & low6, (c & low4) | (a >> 2 & bits45)};
  const std::uint32_t mins[2] = {b & low6, (c >> 4 & low4) | (b >> 2 & bits45)};
  for (int i = 0; i < 8; ++i) {
    const int shift = i % 4 * 8;
    out.scale[2 * i] = out.scale[2 * i + 1] = static_cast<std::int16_t>(scales[i / 4] >> shift & 0xFF);
    out.min[2 * i] = out.min[2 * i + 1] = static_cast<std::int16_t>(mins[i / 4] >> shift & 0xFF);
  }
}

}  // namespace qn::quant
