// The uneven steps of IQ4_NL and IQ4_XS, in lanes.
#pragma once

#include "quant/iq4_steps.h"
#include "quant/write/scaled.h"

namespace qn::quant {
namespace {

constexpr float midpoint_above(int step) {
  return 0.5F * static_cast<float>(iq4_step[step] + iq4_step[step + 1]);
}

struct Iq4Steps {
  static constexpr float most_negative = 127;
  static constexpr float most_positive = 113;
  QN_LANES_INLINE static Floats nearest(Floats y) {
    Floats step = set(iq4_step[0]);
#pragma GCC unroll 15
    for (int k = 0; k < 15; ++k) step = if_less(set(midpoint_above(k)), y, set(iq4_step[k + 1]), step);
    return step;
  }
  // Its number, 0 to 15.
  QN_LANES_INLINE static Floats number(Floats y) {
    Floats number = set(0);
#pragma GCC unroll 15
    for (int k = 0; k < 15; ++k) number = if_less(set(midpoint_above(k)), y, set(static_cast<float>(k + 1)), number);
    return number;
  }
};

}  // namespace
}  // namespace qn::quant
