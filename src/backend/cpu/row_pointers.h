// Sixteen rows as an instruction wants them: four pointers and the stride reach any of them in one address.
#pragma once

#include "backend/cpu/inlining.h"
#include "backend/cpu/span.h"

namespace qn::cpu {
namespace {

// Hides from the compiler how a value came about: it would otherwise keep an address for each row, and run out of registers.
template <class T>
QN_FORCE_INLINE T opaque(T value) {
  asm("" : "+r"(value));
  return value;
}

struct RowPointers {
  const std::byte* quarter[4];  // rows 0, 4, 8, 12
  std::size_t stride, stride_3;

  QN_FORCE_INLINE static RowPointers of(Rows rows) {
    RowPointers p;
    QN_UNROLL for (int i = 0; i < 4; ++i) p.quarter[i] = opaque(rows.row(4 * i));
    p.stride = rows.stride;
    p.stride_3 = opaque(3 * rows.stride);
    return p;
  }
  QN_FORCE_INLINE const std::byte* row(int r) const {
    const std::byte* from = quarter[r / 4];
    switch (r % 4) {
      case 0: return from;
      case 1: return from + stride;
      case 2: return from + 2 * stride;
      default: return from + stride_3;
    }
  }
  QN_FORCE_INLINE RowPointers at(std::ptrdiff_t bytes) const {
    RowPointers p = *this;
    QN_UNROLL for (int i = 0; i < 4; ++i) p.quarter[i] = opaque(quarter[i] + bytes);
    return p;
  }
};

}  // namespace
}  // namespace qn::cpu
