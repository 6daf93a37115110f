// From a float to a small code, for the writers. Total: NaN and infinity give some code in range, never undefined behaviour.
#pragma once

#include "quant/half.h"

namespace qn::quant {

// The reciprocal of a block's scale; a block of zeros has scale 0 and codes 0.
QN_QUANT_INLINE float inverse_or_zero(float d) {
  return d == 0 ? 0.0F : 1.0F / d;
}

// Toward zero, into [0, last]; NaN becomes 0. Selects rather than branches, so that loops over it vectorise.
QN_QUANT_INLINE int clamp_code(float value, int last) {
  const auto limit = static_cast<float>(last);
  const float positive = value > 0.0F ? value : 0.0F;
  return static_cast<int>(positive < limit ? positive : limit);
}

QN_QUANT_INLINE float magnitude_of(float value) {
  return float_of(bits_of(value) & 0x7FFFFFFFu);
}

// To the nearest, ties away from zero, into [-last, last]; NaN becomes last.
QN_QUANT_INLINE int round_code(float value, int last) {
  const std::uint32_t limit = bits_of(static_cast<float>(last));
  const std::uint32_t magnitude = bits_of(value) & 0x7FFFFFFFu;
  const float inside = float_of(magnitude < limit ? magnitude : limit);  // as integers: no branch to split the loop on
  const int whole = static_cast<int>(inside);
  const int code = whole + static_cast<int>(2.0F * (inside - static_cast<float>(whole)));  // the rest, doubled, is in [0, 2)
  const int sign = static_cast<std::int32_t>(bits_of(value)) >> 31;                        // 0 or -1
  return (code ^ sign) - sign;
}

struct Range {
  float min = 0;
  float max = 0;
};

template <int weights>
QN_QUANT_INLINE Range range_of(const float* values) {
  Range range{values[0], values[0]};
  for (int i = 1; i < weights; ++i) {
    range.min = values[i] < range.min ? values[i] : range.min;
    range.max = values[i] > range.max ? values[i] : range.max;
  }
  return range;
}

// Magnitudes are compared as integers, where the order does not matter and the loop vectorises: NaN counts as the largest.
template <int weights>
QN_QUANT_INLINE float largest_magnitude(const float* values) {
  std::int32_t largest = 0;
  for (int i = 0; i < weights; ++i) {
    const auto magnitude = static_cast<std::int32_t>(bits_of(values[i]) & 0x7FFFFFFFu);
    largest = magnitude > largest ? magnitude : largest;
  }
  return float_of(static_cast<std::uint32_t>(largest));
}

// The value that is farthest from zero, with its sign; the first of equals.
template <int weights>
QN_QUANT_INLINE float extreme_of(const float* values) {
  const std::uint32_t largest = bits_of(largest_magnitude<weights>(values));
  float extreme = values[0];
  for (int i = weights - 1; i >= 0; --i) extreme = (bits_of(values[i]) & 0x7FFFFFFFu) == largest ? values[i] : extreme;
  return extreme;
}

}  // namespace qn::quant
