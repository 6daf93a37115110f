// From a float to a small code, for the writers. Total: NaN and infinity give some code in range, never undefined behaviour.
#pragma once

#include "quant/half.h"

namespace qn::quant {

// The reciprocal of a block's scale; a block of zeros has scale 0 and codes 0.
QN_QUANT_INLINE float inverse_or_zero(float d) {
  return d == 0 ? 0.0F : 1.0F / d;
}

// Toward zero, into [0, last]. The formats that use it add 0.5 first.
QN_QUANT_INLINE int clamp_code(float value, int last) {
  if (!(value > 0)) return 0;
  return value < static_cast<float>(last) ? static_cast<int>(value) : last;
}

QN_QUANT_INLINE float magnitude_of(float value) {
  return float_of(bits_of(value) & 0x7FFFFFFFu);
}

// To the nearest, ties away from zero, into [-last, last].
QN_QUANT_INLINE int round_code(float value, int last) {
  const float magnitude = magnitude_of(value);
  const int whole = clamp_code(magnitude, last);
  const int code = whole < last && magnitude - static_cast<float>(whole) >= 0.5F ? whole + 1 : whole;
  return value < 0 ? -code : code;
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

// The value that is farthest from zero, with its sign; the first of equals.
template <int weights>
QN_QUANT_INLINE float extreme_of(const float* values) {
  float extreme = values[0];
  for (int i = 1; i < weights; ++i)
    if (magnitude_of(values[i]) > magnitude_of(extreme)) extreme = values[i];
  return extreme;
}

}  // namespace qn::quant
