// Sixteen-bit floats and f32, both ways, exact: no table, no instruction beyond ordinary float arithmetic, so every machine gives the same
// bits. To f16 and bf16 we round to nearest, ties to even; too large becomes infinity; a NaN stays a (quiet) NaN.
#pragma once

#include <cstdint>

#include "quant/portable.h"

namespace qn::quant {

QN_QUANT_INLINE constexpr std::uint32_t bits_of(float value) {
  return __builtin_bit_cast(std::uint32_t, value);
}
QN_QUANT_INLINE constexpr float float_of(std::uint32_t bits) {
  return __builtin_bit_cast(float, bits);
}

QN_QUANT_INLINE constexpr float f16_to_f32(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  // The biases differ by 127 - 15 = 112. Exponent 31 means infinity or NaN and has to land on 255, another 112 on.
  const std::uint32_t bias = (magnitude >= 0x7C00u ? 224u : 112u) << 23;
  const std::uint32_t normal = (magnitude << 13) + bias;
  // A denormal is magnitude * 2^-24: placed in the low bits of 0.5f, whose last bit is worth just that.
  const std::uint32_t denormal = bits_of(float_of(bits_of(0.5F) + magnitude) - 0.5F);
  return float_of((magnitude < 0x0400u ? denormal : normal) | sign);
}

QN_QUANT_INLINE constexpr std::uint16_t f32_to_f16(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  constexpr std::uint32_t first_too_large = 143u << 23;  // 65536
  constexpr std::uint32_t first_normal = 113u << 23;     // 2^-14
  std::uint32_t half = 0;
  if (magnitude >= first_too_large) {
    half = magnitude > 0x7F800000u ? 0x7E00u | (magnitude >> 13 & 0x3FFu) : 0x7C00u;
  } else if (magnitude < first_normal) {
    half = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);  // the addition rounds at 2^-24, to even
  } else {
    const std::uint32_t tie_to_even = 0xFFFu + (magnitude >> 13 & 1u);
    half = (magnitude - (112u << 23) + tie_to_even) >> 13;  // a carry runs on into the exponent, up to infinity
  }
  return static_cast<std::uint16_t>(half | sign);
}

QN_QUANT_INLINE constexpr float bf16_to_f32(std::uint16_t half) {
  return float_of(static_cast<std::uint32_t>(half) << 16);
}

QN_QUANT_INLINE constexpr std::uint16_t f32_to_bf16(float value) {
  const std::uint32_t bits = bits_of(value);
  const bool is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
  const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  return static_cast<std::uint16_t>(is_nan ? bits >> 16 | 0x40u : rounded);
}

}  // namespace qn::quant
