// What every way of multiplying spans shares. Included by kernels_*.h.
#pragma once

#include "backend/cpu/kernels.h"

namespace qn::cpu {
namespace {

// acc += (d * dx) * total, rounded as ref does
QN_FORCE_INLINE Floats add_scaled(Floats acc, Floats d, float dx, Ints total) {
  return fma(mul(d, set(dx)), to_floats(total), acc);
}
QN_FORCE_INLINE Floats subtract_scaled(Floats acc, Floats dmin, float dx, Ints sum) {
  return fma_negated(mul(dmin, set(dx)), to_floats(sum), acc);
}

// What a format's shape is while compiling.
template <int block, int group_columns, bool minima, bool wide_codes>
struct ShapeOf {
  static constexpr int block_weights = block;
  static constexpr int group = group_columns;
  static constexpr bool has_min = minima;
  static constexpr bool is_signed = wide_codes;
};

// Minima of a block of 256: the sum over groups of min * (sum of the group's codes of x).
template <class S>
QN_FORCE_INLINE Ints sum_of_minima(const SpanHead& head, const std::int16_t* sum_16, const std::int16_t* sum_32) {
  Ints sum = zero();
  const std::int16_t* sums = S::group == 16 ? sum_16 : sum_32;
  QN_UNROLL for (int pair = 0; pair < 128 / S::group; ++pair) sum = dot2(sum, load_pairs(head.min_pair[pair]), sums + 2 * pair);
  return sum;
}

// Fetches `rows` rows of `bytes` bytes in even shares, one with each step: by rows, for memory likes runs, and never many at once,
// for a core has few places for what is under way.
class Ahead {
 public:
  QN_FORCE_INLINE Ahead(Rows from, int rows, std::size_t bytes, int steps) : run_(from.first), row_(from.first), stride_(from.stride) {
    row_runs_ = static_cast<std::uint32_t>((bytes + run_bytes - 1) / run_bytes);
    left_in_row_ = row_runs_;
    if (from.first != nullptr) share_ = (row_runs_ * static_cast<std::uint32_t>(rows) << 8) / static_cast<std::uint32_t>(steps);
  }
  QN_FORCE_INLINE void step() {
    due_ += share_;
    for (; due_ >= 256; due_ -= 256) {
      __builtin_prefetch(run_);
      __builtin_prefetch(run_ + 64);
      run_ += run_bytes;
      if (--left_in_row_ == 0) {
        left_in_row_ = row_runs_;
        row_ += stride_;
        run_ = row_;
      }
    }
  }

 private:
  static constexpr std::size_t run_bytes = 128;
  const std::byte *run_, *row_;
  std::size_t stride_;
  std::uint32_t row_runs_, left_in_row_, share_ = 0, due_ = 0;  // share and due in 1 / 256 of a run
};

}  // namespace
}  // namespace qn::cpu
