// Eight bytes at a time in a 64-bit word: how sign bits and fifth bits are laid over codes without a branch.
#pragma once

#include <cstdint>
#include <cstring>

#include "quant/portable.h"

namespace qn::quant {

// Byte i of the result is bit i of `bits`, 0 or 1.
QN_QUANT_INLINE constexpr std::uint64_t spread_bits(std::uint8_t bits) {
  const std::uint64_t own = bits * 0x0101010101010101u & 0x8040201008040201u;  // byte i keeps bit i
  return (own + 0x7F7F7F7F7F7F7F7Fu) >> 7 & 0x0101010101010101u;
}

// Negates byte i where bit i of `signs` is set. No byte of `codes` may be 0: its negation would carry into the next.
QN_QUANT_INLINE constexpr std::uint64_t negate_where(std::uint64_t codes, std::uint8_t signs) {
  const std::uint64_t one = spread_bits(signs);
  return (codes ^ one * 0xFF) + one;
}

// The IQ formats store 7 signs of 8: the number of minus signs is even, so the eighth follows.
QN_QUANT_INLINE constexpr std::uint8_t with_eighth_sign(std::uint32_t seven) {
  const std::uint32_t parity = 0x6996u >> ((seven ^ seven >> 4) & 15u) & 1u;
  return static_cast<std::uint8_t>(seven | parity << 7);
}

template <class T>
QN_QUANT_INLINE T load(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
QN_QUANT_INLINE void store(void* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace qn::quant
