// Codes with a scale and a minimum:   value = scale * code + min, code in [0, last]
// Each lane of a tile searches for its own group: codes from several ranges of values, and for each the scale and minimum of least squares.
#pragma once

#include "quant/round.h"
#include "quant/write/tile.h"

namespace qn::quant {
namespace {

struct Affine {
  Floats scale, min;
};

// What the error of a group depends on once the codes are chosen: weighted sums of codes, their squares, their products with the values.
struct CodeSums {
  Floats code, square, product;
};

struct GroupTotals {
  Floats w, x;  // sums of the weights and of weight * value
};

template <int group>
GroupTotals group_totals(const Tile& tile, Floats (&wx)[16]) {
  GroupTotals total{set(0), set(0)};
  for (int i = 0; i < 16; ++i) {
    wx[i] = tile.w[i] * tile.x[i];
    total.w = total.w + tile.w[i];
    total.x = total.x + wx[i];
  }
  return {group_sum<group>(total.w), group_sum<group>(total.x)};
}

// code = (x - min) * inverse, rounded
QN_LANES_INLINE Floats affine_code(Floats x, Floats inverse, Floats min, Floats last) {
  return round_lanes(clamp((x - min) * inverse, set(0), last));
}

template <int group>
QN_LANES_INLINE CodeSums sums_of_codes(const Tile& tile, const Floats (&wx)[16], Floats inverse, Floats min, float last) {
  CodeSums sums{set(0), set(0), set(0)};
  for (int i = 0; i < 16; ++i) {
    const Floats code = affine_code(tile.x[i], inverse, min, set(last));
    const Floats weighted = tile.w[i] * code;
    sums.code = sums.code + weighted;
    sums.square = sums.square + weighted * code;
    sums.product = sums.product + wx[i] * code;
  }
  return {group_sum<group>(sums.code), group_sum<group>(sums.square), group_sum<group>(sums.product)};
}

// The squared error less the sum of weight * value^2.
QN_LANES_INLINE Floats affine_error(const CodeSums& s, const GroupTotals& t, Floats scale, Floats min) {
  const Floats two = set(2);
  return scale * (scale * s.square - two * s.product) + min * (min * t.w - two * t.x) + two * scale * min * s.code;
}

// The best scale and minimum for these codes, the minimum at most 0 where the format can only subtract.
template <bool signed_min>
QN_LANES_INLINE Affine least_squares(const CodeSums& s, const GroupTotals& t) {
  const Floats determinant = t.w * s.square - s.code * s.code;
  const Floats tiny = set(1e-6F) * t.w * s.square;  // all codes equal, but for rounding
  const Floats inverse = if_less(tiny, determinant, set(1) / larger(determinant, set(1e-30F)), set(0));
  Affine fit{(t.w * s.product - t.x * s.code) * inverse, (s.square * t.x - s.code * s.product) * inverse};
  // Where the codes are all equal, a scale alone; where they are 0, a minimum alone.
  const Floats alone = s.product / larger(s.square, set(1e-30F));
  const Floats mean = if_less(set(0), s.square, set(0), t.x / t.w);
  fit.scale = if_less(tiny, determinant, fit.scale, alone);
  fit.min = if_less(tiny, determinant, fit.min, mean);
  if constexpr (!signed_min) {
    fit.scale = if_less(set(0), fit.min, alone, fit.scale);
    fit.min = smaller(fit.min, set(0));
  }
  return fit;
}

// The ranges tried: `steps` of them, in which the codes reach from `narrow` to `wide` of the values' range.
struct RangeSearch {
  float first, step;  // inverse = (first + k * step) / range
  int steps;
  int rounds;  // then codes and fit in turn
};

template <int group, bool signed_min>
Affine fit_affine(const Tile& tile, const Floats (&wx)[16], const GroupTotals& total, float last, const RangeSearch& search) {
  Floats low = tile.x[0], high = tile.x[0];
  for (int i = 1; i < 16; ++i) {
    low = smaller(low, tile.x[i]);
    high = larger(high, tile.x[i]);
  }
  low = group_smallest<group>(low);
  high = group_largest<group>(high);
  if constexpr (!signed_min) low = smaller(low, set(0));
  const Floats per_range = set(1) / larger(high - low, set(1e-12F));
  Affine best{set(0), set(0)};
  Floats least = set(0);  // all codes 0 and no minimum
  for (int k = 0; k < search.steps; ++k) {
    const Floats inverse = set(search.first + static_cast<float>(k) * search.step) * per_range;
    const CodeSums sums = sums_of_codes<group>(tile, wx, inverse, low, last);
    const Affine fit = least_squares<signed_min>(sums, total);
    const Floats error = affine_error(sums, total, fit.scale, fit.min);
    best.scale = if_less(error, least, fit.scale, best.scale);
    best.min = if_less(error, least, fit.min, best.min);
    least = smaller(error, least);
  }
  for (int round = 0; round < search.rounds; ++round) {
    const Floats inverse = set(1) / larger(best.scale, set(1e-20F));
    const CodeSums sums = sums_of_codes<group>(tile, wx, inverse, best.min, last);
    const Affine fit = least_squares<signed_min>(sums, total);
    const Floats error = affine_error(sums, total, fit.scale, fit.min);
    best.scale = if_less(error, least, fit.scale, best.scale);
    best.min = if_less(error, least, fit.min, best.min);
    least = smaller(error, least);
  }
  return best;
}

// A block of 256 with whole scales and minima under two f16 factors.   value = d * scale * code - dmin * min
struct AffineBlock {
  std::uint16_t d = 0, dmin = 0;  // f16
  Floats scale, min;              // whole, in [0, last_scale]; lanes of a group are equal
  Floats code[16];
};

template <int group>
void codes_for(const Tile& tile, float d, float dmin, float last, AffineBlock& block) {
  const Floats scale = set(d) * block.scale;
  const Floats inverse = if_less(set(0), scale, set(1) / scale, set(0));
  const Floats min = set(-dmin) * block.min;
  for (int i = 0; i < 16; ++i) block.code[i] = affine_code(tile.x[i], inverse, min, set(last));
}

struct AffineFormat {
  float last;        // code
  float last_scale;  // and minimum
  RangeSearch search;
  int rounds;
};

template <int group>
void search_affine(const Tile& tile, const AffineFormat& format, AffineBlock& best) {
  Floats wx[16];
  const GroupTotals total = group_totals<group>(tile, wx);
  const Affine ideal = fit_affine<group, false>(tile, wx, total, format.last, format.search);
  const Floats last_scale = set(format.last_scale);
  best.d = bounded_f16(largest_of_lanes(ideal.scale) / format.last_scale);
  best.dmin = bounded_f16(largest_of_lanes(set(0) - ideal.min) / format.last_scale);
  AffineBlock now = best;
  float least = 0;
  bool any = false;
  now.scale = round_lanes(clamp(ideal.scale * set(inverse_or_zero(f16_to_f32(now.d))), set(0), last_scale));
  now.min = round_lanes(clamp(set(0) - ideal.min * set(inverse_or_zero(f16_to_f32(now.dmin))), set(0), last_scale));
  for (int round = 0; round < format.rounds; ++round) {
    const float d = f16_to_f32(now.d), dmin = f16_to_f32(now.dmin);
    const Floats scale = set(d) * now.scale;
    const Floats inverse = if_less(set(0), scale, set(1) / scale, set(0));
    const CodeSums sums = sums_of_codes<group>(tile, wx, inverse, set(-dmin) * now.min, format.last);
    // Whole scales and minima next to these may suit the codes better.
    Floats error = affine_error(sums, total, scale, set(-dmin) * now.min);
    AffineBlock next = now;
    for (int step = 0; step < 9; ++step) {
      const Floats try_scale = clamp(now.scale + set(static_cast<float>(step / 3 - 1)), set(0), last_scale);
      const Floats try_min = clamp(now.min + set(static_cast<float>(step % 3 - 1)), set(0), last_scale);
      const Floats try_error = affine_error(sums, total, set(d) * try_scale, set(-dmin) * try_min);
      next.scale = if_less(try_error, error, try_scale, next.scale);
      next.min = if_less(try_error, error, try_min, next.min);
      error = smaller(try_error, error);
    }
    now = next;
    const float sum = sum_of_lanes(error);
    if (!any || sum < least) {
      any = true;
      least = sum;
      best = now;
    }
    // Both factors anew, for these codes.
    const double a = sum_of_lanes(now.scale * now.scale * sums.square), b = sum_of_lanes(now.scale * now.min * sums.code);
    const double c = sum_of_lanes(now.min * now.min * total.w), e = sum_of_lanes(now.scale * sums.product);
    const double f = -double{sum_of_lanes(now.min * total.x)};
    const double determinant = a * c - b * b;
    if (determinant > 1e-9 * a * c) {
      const double new_d = (c * e + b * f) / determinant, new_dmin = (b * e + a * f) / determinant;
      if (new_d > 0 && new_dmin >= 0) {
        now.d = bounded_f16(static_cast<float>(new_d));
        now.dmin = bounded_f16(static_cast<float>(new_dmin));
      }
    } else if (a > 0 && e > 0) {
      now.d = bounded_f16(static_cast<float>(e / a));
    }
  }
  codes_for<group>(tile, f16_to_f32(best.d), f16_to_f32(best.dmin), format.last, best);
}

}  // namespace
}  // namespace qn::quant
