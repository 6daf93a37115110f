// Writing TQ1_0: five digits to a byte, which is the fraction rounded up, so that truncation finds each digit again.
#pragma once

#include "quant/tq1_0.h"
#include "quant/write/ternary.h"

namespace qn::quant {
namespace {

// Runs of `rows` rows of 16: the first row of each gives 16 bytes.
QN_LANES_INLINE Floats five_digits(const Floats* digit, int rows) {
  Floats number = digit[0];
  for (int n = 1; n < 5; ++n) number = set(3) * number + digit[n * rows];
  // number * 256 / 243, rounded up: the quotient of whole numbers is at least 1/243 away from the next, more than the roundings here.
  return (number * set(256) + set(242.5F)) * set(1.0F / 243);
}

void write_block(const float* values, const float* importance, TQ1_0::Block& out) {
  Ternary found;
  search_ternary(values, importance, found);
  out.d.set(found.d);
  for (int row = 0; row < 2; ++row) store_bytes(out.q + row * 16, to_ints(five_digits(found.digit + row, 2)));
  store_bytes(out.q + 32, to_ints(five_digits(found.digit + 10, 1)));
  float last[16];  // four runs of four, and a fifth of zeros
  store_lanes(last, found.digit[15]);
  for (int i = 0; i < 4; ++i) {
    const int number = 3 * (27 * static_cast<int>(last[i]) + 9 * static_cast<int>(last[4 + i]) + 3 * static_cast<int>(last[8 + i]) +
                            static_cast<int>(last[12 + i]));
    out.qh[i] = static_cast<std::uint8_t>((number * 256 + 242) / 243);
  }
}

}  // namespace
}  // namespace qn::quant
