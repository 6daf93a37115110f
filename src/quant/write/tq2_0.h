// Writing TQ2_0.
#pragma once

#include "quant/tq2_0.h"
#include "quant/write/ternary.h"

namespace qn::quant {
namespace {

void write_block(const float* values, const float* importance, TQ2_0::Block& out) {
  Ternary found;
  search_ternary(values, importance, found);
  out.d.set(found.d);
  for (int half = 0; half < 2; ++half)
    for (int row = 0; row < 2; ++row) {
      const Floats* digit = found.digit + half * 8 + row;
      const Floats low = digit[0] + set(4) * digit[2], high = digit[4] + set(4) * digit[6];
      store_bytes(out.q + half * 32 + row * 16, to_ints(low + set(16) * high));
    }
}

}  // namespace
}  // namespace qn::quant
