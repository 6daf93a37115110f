// The point of a grid nearest to some values, exactly, for sixteen short vectors at once: a lane each.
// A point is two halves, and what it costs is the sum of what its halves cost. Those are few: tables of all of them are made for a scale,
// and then every point of the grid is looked at in its order, which takes little more than one minimum each.
#pragma once

#include <utility>

#include "quant/iq_grids.h"
#include "quant/write/tile.h"

namespace qn::quant {
namespace {

// A grid, here called G, is a struct:
//   G::grid             the points, numbered as grid.h says
//   G::values           what a digit stands for
//   G::value(digit)     the same in lanes
template <int size, int width, int digits>
struct GridHalves {
  static constexpr int half_width = width / 2;
  static constexpr int halves = digits == 3 ? 81 : 64;  // digits^half_width
  std::uint16_t first[halves + 1] = {};                 // points [first[h], first[h + 1]) have the upper half h
  std::uint8_t low[size] = {};                          // the lower half of each point
};

template <int size, int width, int digits>
consteval GridHalves<size, width, digits> split_grid(const Grid<size, width>& grid, const std::int8_t (&values)[digits]) {
  GridHalves<size, width, digits> split;
  for (int point = 0, high = 0; point <= size; ++point) {
    int half[2] = {};
    for (int i = width - 1; point < size && i >= 0; --i) {
      int digit = 0;
      while (values[digit] != grid.row[point][i]) ++digit;
      int& number = half[i / (width / 2)];
      number = number * digits + digit;
    }
    if (point < size) split.low[point] = static_cast<std::uint8_t>(half[0]);
    const int until = point < size ? half[1] : split.halves;
    while (high <= until) split.first[high++] = static_cast<std::uint16_t>(point);
  }
  return split;
}

struct Iq1Grid {
  static constexpr int size = 2048, width = 8, digits = 3;
  static constexpr const auto& values = iq1_values;
  static constexpr auto split = split_grid<size, width, digits>(iq1_grid, iq1_values);
  static constexpr float top = 8;
  QN_LANES_INLINE static Floats value(Floats digit) { return set(8) * digit - set(8); }
};

template <const auto& points, int count>
struct Iq2Grid {
  static constexpr int size = count, width = 8, digits = 3;
  static constexpr const auto& values = iq2_xs_values;
  static constexpr auto split = split_grid<size, width, digits>(points, iq2_xs_values);
  static constexpr float top = 43;
  QN_LANES_INLINE static Floats value(Floats digit) { return set(8) + digit * (set(16.5F) + set(0.5F) * digit); }
};
using Iq2XxsGrid = Iq2Grid<iq2_xxs_grid, 256>;
using Iq2XsGrid = Iq2Grid<iq2_xs_grid, 512>;
using Iq2SGrid = Iq2Grid<iq2_s_grid, 1024>;

struct Iq3XxsGrid {
  static constexpr int size = 256, width = 4, digits = 8;
  static constexpr const auto& values = iq3_xxs_values;
  static constexpr auto split = split_grid<size, width, digits>(iq3_xxs_grid, iq3_xxs_values);
  static constexpr float top = 62;
  QN_LANES_INLINE static Floats value(Floats digit) { return set(4) + set(8) * digit + if_less(set(6.5F), digit, set(2), set(0)); }
};

struct Iq3SGrid {
  static constexpr int size = 512, width = 4, digits = 8;
  static constexpr const auto& values = iq3_s_values;
  static constexpr auto split = split_grid<size, width, digits>(iq3_s_grid, iq3_s_values);
  static constexpr float top = 15;
  QN_LANES_INLINE static Floats value(Floats digit) { return set(1) + set(2) * digit; }
};

// The number of a point in its grid, from its halves.
template <class G>
int point_number(int high, int low) {
  int point = G::split.first[high];
  while (G::split.low[point] != low) ++point;
  return point;
}

// Costs of the halves at place `from`: w * (y - value)^2, summed over its places, in the order of the halves' numbers.
template <class G>
QN_LANES_INLINE void half_costs(const Floats* y, const Floats* w, float offset, Floats (&cost)[G::split.halves]) {
  int made = 1;
  for (int place = 0; place < G::split.half_width; ++place) {
    Floats own[G::digits];
    for (int digit = 0; digit < G::digits; ++digit) {
      const Floats off = y[place] - set(static_cast<float>(G::values[digit]) + offset);
      own[digit] = w[place] * (off * off);
    }
    if (place == 0) {
      for (int digit = 0; digit < G::digits; ++digit) cost[digit] = own[digit];
    } else {
      for (int digit = G::digits - 1; digit >= 0; --digit)
        for (int k = 0; k < made; ++k) cost[digit * made + k] = cost[k] + own[digit];
    }
    made *= G::digits;
  }
}

struct Nearest {
  Floats cost;
  Ints low, high;  // the halves of the point
};

QN_LANES_INLINE void improve(Ints least, Floats high_cost, int high, Nearest& best) {
  const Floats cost = floats_in(least) + high_cost;
  best.low = if_less(cost, best.cost, least, best.low);
  best.high = if_less(cost, best.cost, set_int(high), best.high);
  best.cost = smaller(cost, best.cost);
}

// The points with the upper half `high`. Unrolled whole, as each is one instruction then; four times as many where registers are short.
template <class G, int high, int... k>
QN_LANES_INLINE void look_at_row(const Ints* low, const Floats* high_cost, Nearest& best, std::integer_sequence<int, k...>) {
  constexpr int first = G::split.first[high];
  if constexpr (register_bytes >= 32) {
    Ints least = low[G::split.low[first]];
    ((least = smaller(least, low[G::split.low[first + 1 + k]])), ...);
    improve(least, high_cost[high], high, best);
  } else {
    Ints least = low[G::split.low[first]];
    for (int point = first + 1; point < G::split.first[high + 1]; ++point) least = smaller(least, low[G::split.low[point]]);
    improve(least, high_cost[high], high, best);
  }
}

template <class G, int high>
QN_LANES_INLINE void look_at_row(const Ints* low, const Floats* high_cost, Nearest& best) {
  constexpr int count = G::split.first[high + 1] - G::split.first[high];
  if constexpr (count > 0) look_at_row<G, high>(low, high_cost, best, std::make_integer_sequence<int, count - 1>{});
}

template <class G, int... high>
QN_LANES_INLINE void look_at_rows(const Ints* low, const Floats* high_cost, Nearest& best, std::integer_sequence<int, high...>) {
  (look_at_row<G, high>(low, high_cost, best), ...);
}

// y: G::width values in the grid's units.   The lower half's number takes the place of the last seven bits of its cost: a choice between
// costs that close makes no difference.
template <class G>
Nearest nearest_point(const Floats* y, const Floats* w, float offset) {
  Floats low_cost[G::split.halves], high_cost[G::split.halves];
  half_costs<G>(y, w, offset, low_cost);
  half_costs<G>(y + G::split.half_width, w + G::split.half_width, offset, high_cost);
  Ints low[G::split.halves];
  const Ints number = set_int(127);
  for (int k = 0; k < G::split.halves; ++k) low[k] = ((bits_in(low_cost[k]) | number) ^ number) | set_int(k);
  Nearest best{set(3e38F), set_int(0), set_int(0)};
  look_at_rows<G>(low, high_cost, best, std::make_integer_sequence<int, G::split.halves>{});
  best.low = best.low & number;
  return best;
}

// The values of a point, less the offset.
template <class G>
QN_LANES_INLINE void values_of(const Nearest& point, Floats (&value)[G::width]) {
  for (int half = 0; half < 2; ++half) {
    Floats number = to_floats(half == 0 ? point.low : point.high);
    for (int i = 0; i < G::split.half_width; ++i) {
      const Floats rest = whole_part((number + set(0.5F)) * set(1.0F / G::digits));
      value[half * G::split.half_width + i] = G::value(number - set(G::digits) * rest);
      number = rest;
    }
  }
}

}  // namespace
}  // namespace qn::quant
