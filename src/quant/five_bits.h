// The 32 five-bit codes of Q5_0 and Q5_1: nibbles as in Q4_0, and the fifth bit of weight i at bit i of qh.
#pragma once

#include "quant/bits.h"
#include "quant/block.h"
#include "quant/round.h"

namespace qn::quant {

QN_QUANT_INLINE void unpack_five_bits(const std::uint8_t (&q)[16], const std::uint8_t (&qh)[4], std::int8_t* code) {
  constexpr std::uint64_t low_nibbles = 0x0F0F0F0F0F0F0F0Fu;
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t pairs = load<std::uint64_t>(q + 8 * i);
    store(code + 8 * i, (pairs & low_nibbles) | spread_bits(qh[i]) << 4);
    store(code + 8 * i + 16, (pairs >> 4 & low_nibbles) | spread_bits(qh[i + 2]) << 4);
  }
}

QN_QUANT_INLINE void pack_five_bits(const std::uint8_t (&code)[32], std::uint8_t (&q)[16], std::uint8_t (&qh)[4]) {
  for (int i = 0; i < 16; ++i) q[i] = static_cast<std::uint8_t>((code[i] & 15) | (code[i + 16] & 15) << 4);
  std::uint32_t fifth = 0;
  for (int i = 0; i < 32; ++i) fifth |= static_cast<std::uint32_t>(code[i] >> 4) << i;
  store(qh, fifth);
}

}  // namespace qn::quant
