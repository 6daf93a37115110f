// Codes with a scale alone:   value = scale * step(code), the steps even or not
// Each lane of a tile searches for its own group: codes from several scales, and for each the scale of least squares. A set of steps is a
// struct, here called S:
//   S::nearest(y)        the step nearest to y, as a float
//   S::most_negative     its largest step below zero, as a magnitude; it reaches farther than the steps above zero
//   S::most_positive
#pragma once

#include "quant/round.h"
#include "quant/write/tile.h"

namespace qn::quant {
namespace {

// Even steps: -count .. count - 1.
template <int count>
struct EvenSteps {
  static constexpr float most_negative = count;
  static constexpr float most_positive = count - 1;
  QN_LANES_INLINE static Floats nearest(Floats y) { return round_lanes(clamp(y, set(-most_negative), set(most_positive))); }
};

struct StepSums {
  Floats square, product;  // of weight * step^2, weight * value * step
};

template <class S, int group>
QN_LANES_INLINE StepSums sums_of_steps(const Tile& tile, Floats inverse) {
  StepSums sums{set(0), set(0)};
  for (int i = 0; i < 16; ++i) {
    const Floats step = S::nearest(tile.x[i] * inverse);
    const Floats weighted = tile.w[i] * step;
    sums.square = sums.square + weighted * step;
    sums.product = sums.product + weighted * tile.x[i];
  }
  return {group_sum<group>(sums.square), group_sum<group>(sums.product)};
}

QN_LANES_INLINE Floats step_error(const StepSums& s, Floats scale) {  // less the sum of weight * value^2
  return scale * (scale * s.square - set(2) * s.product);
}
QN_LANES_INLINE Floats best_scale(const StepSums& s) {
  return s.product / larger(s.square, set(1e-30F));
}

// The value of each group that is farthest from zero, with its sign.
template <int group>
Floats extreme_values(const Tile& tile) {
  Floats low = tile.x[0], high = tile.x[0];
  for (int i = 1; i < 16; ++i) {
    low = smaller(low, tile.x[i]);
    high = larger(high, tile.x[i]);
  }
  low = group_smallest<group>(low);
  high = group_largest<group>(high);
  return if_less(high, set(0) - low, low, high);
}

struct ScaleSearch {
  float first, step;  // the extreme value goes to (first + k * step) times the farthest step of either sign
  int steps;
  int rounds;  // then codes and scale in turn
};

template <class S, int group>
Floats fit_scale(const Tile& tile, const ScaleSearch& search) {
  const Floats extreme = extreme_values<group>(tile);
  const Floats per_extreme = if_less(set(least_magnitude), magnitude(extreme), set(1) / extreme, set(0));
  Floats best = set(0), least = set(0);
  const auto try_inverse = [&](Floats inverse) __attribute__((always_inline)) {
    const StepSums sums = sums_of_steps<S, group>(tile, inverse);
    const Floats scale = best_scale(sums);
    const Floats error = step_error(sums, scale);
    best = if_less(error, least, scale, best);
    least = smaller(error, least);
  };
  for (int k = 0; k < search.steps; ++k) {
    const float reach = search.first + static_cast<float>(k) * search.step;
    try_inverse(set(-reach * S::most_negative) * per_extreme);
    try_inverse(set(reach * S::most_positive) * per_extreme);
  }
  for (int round = 0; round < search.rounds; ++round) try_inverse(if_less(set(1e-20F), magnitude(best), set(1) / best, set(0)));
  return best;
}

// A block of 256 with whole scales under one f16 factor.   value = d * scale * step(code)
struct ScaledBlock {
  std::uint16_t d = 0;  // f16
  Floats scale;         // whole, in [-reach, reach - 1]; lanes of a group are equal
  Floats step[16];
};

struct ScaledFormat {
  float reach;  // of the scales
  ScaleSearch search;
  int rounds;
};

QN_LANES_INLINE Floats inverse_of(Floats scale) {
  return if_less(set(0), magnitude(scale), set(1) / scale, set(0));
}

template <class S, int group>
void search_scaled(const Tile& tile, const ScaledFormat& format, ScaledBlock& best) {
  const Floats ideal = fit_scale<S, group>(tile, format.search);
  const Floats lowest = set(-format.reach), highest = set(format.reach - 1);
  // The scale farthest from zero becomes the lowest of all, which has no positive twin.
  const float most = largest_of_lanes(ideal), most_below = largest_of_lanes(set(0) - ideal);
  best.d = bounded_f16((most_below > most ? most_below : -most) / format.reach);
  best.scale = clamp(round_lanes(clamp(ideal * set(inverse_or_zero(f16_to_f32(best.d))), lowest, highest)), lowest, highest);
  ScaledBlock now = best;
  float least = 0;
  for (int round = 0; round < format.rounds; ++round) {
    const float d = f16_to_f32(now.d);
    if (d == 0) break;
    const Floats per_d = set(1 / d);
    Floats error = set(0);
    Floats scale = set(0);
    StepSums chosen{set(0), set(0)};
    for (int off = -1; off <= 1; ++off) {
      const Floats tried = clamp(now.scale + set(static_cast<float>(off)), lowest, highest);
      const StepSums sums = sums_of_steps<S, group>(tile, inverse_of(set(d) * tried));
      const Floats suits = round_lanes(clamp(best_scale(sums) * per_d, lowest, highest));  // these codes
      const Floats its_error = step_error(sums, set(d) * suits);
      scale = if_less(its_error, error, suits, scale);
      chosen.square = if_less(its_error, error, sums.square, chosen.square);
      chosen.product = if_less(its_error, error, sums.product, chosen.product);
      error = smaller(its_error, error);
    }
    now.scale = scale;
    const float sum = sum_of_lanes(error);
    if (round == 0 || sum < least) {
      least = sum;
      best = now;
    }
    const float product = sum_of_lanes(scale * chosen.product), square = sum_of_lanes(scale * scale * chosen.square);
    if (square > 0) now.d = bounded_f16(product / square);
  }
  const Floats inverse = inverse_of(set(f16_to_f32(best.d)) * best.scale);
  for (int i = 0; i < 16; ++i) best.step[i] = S::nearest(tile.x[i] * inverse);
}

}  // namespace
}  // namespace qn::quant
