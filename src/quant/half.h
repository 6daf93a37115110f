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

// All ones where the condition holds: selects by masks keep the loops over these functions free of branches, and so vectorised.
QN_QUANT_INLINE constexpr std::uint32_t mask_if(bool condition) {
  return 0u - static_cast<std::uint32_t>(condition);
}

QN_QUANT_INLINE constexpr float f16_to_f32(std::uint16_t half) {
  const std::uint32_t magnitude = half & 0x7FFFu;
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  // The biases differ by 127 - 15 = 112. Exponent 31 means infinity or NaN and has to land on 255, another 112 on.
  constexpr std::uint32_t bias = 112u << 23;
  const std::uint32_t normal = (magnitude << 13) + bias + (mask_if(magnitude >= 0x7C00u) & bias);
  // A denormal is magnitude * 2^-24: placed in the low bits of 0.5f, whose last bit is worth just that.
  const std::uint32_t denormal = bits_of(float_of(bits_of(0.5F) + magnitude) - 0.5F);
  const std::uint32_t is_denormal = mask_if(magnitude < 0x0400u);
  return float_of((denormal & is_denormal) | (normal & ~is_denormal) | sign);
}

QN_QUANT_INLINE constexpr std::uint16_t f32_to_f16(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  constexpr std::uint32_t bias = 112u << 23;
  // Normal: a carry out of the rounding runs on into the exponent, up to infinity.
  const std::uint32_t normal = (magnitude - bias + 0xFFFu + (magnitude >> 13 & 1u)) >> 13;
  // Denormal: the addition rounds at the last bit of 0.5f, 2^-24, to even.
  const std::uint32_t denormal = bits_of(float_of(magnitude) + 0.5F) - bits_of(0.5F);
  const std::uint32_t too_large = 0x7C00u | (mask_if(magnitude > 0x7F800000u) & 0x0200u);
  const std::uint32_t is_denormal = mask_if(magnitude < 113u << 23);    // 2^-14
  const std::uint32_t is_too_large = mask_if(magnitude >= 143u << 23);  // 65536, infinity, NaN
  const std::uint32_t half = (denormal & is_denormal) | (too_large & is_too_large) | (normal & ~(is_denormal | is_too_large));
  return static_cast<std::uint16_t>(half | sign);
}

QN_QUANT_INLINE constexpr float bf16_to_f32(std::uint16_t half) {
  return float_of(static_cast<std::uint32_t>(half) << 16);
}

QN_QUANT_INLINE constexpr std::uint16_t f32_to_bf16(float value) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t is_nan = mask_if((bits & 0x7FFFFFFFu) > 0x7F800000u);
  const std::uint32_t quiet = bits >> 16 | 0x40u;
  const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  return static_cast<std::uint16_t>((quiet & is_nan) | (rounded & ~is_nan));
}

}  // namespace qn::quant
