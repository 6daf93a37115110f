// Blocks of 256 whose values are points of a grid, under odd scales and one f16 factor.   value = d * (2 * scale + 1) * +-(point + offset)
#pragma once

#include "quant/write/grid_search.h"

namespace qn::quant {
namespace {

enum class Signs {
  of_values,  // the points have signs of their own
  free,       // one for each value
  even,       // an even number of minus signs in eight values: where it is odd, the value that costs least takes the wrong one
};
enum class Offset { none, of_group, of_point };  // +-1, as IQ1 has

struct GriddedFormat {
  float first, step;  // the greatest magnitude of a group goes to (first + k * step) times the greatest of a point
  int steps;
  int last_scale;
  float factor;  // what a point is worth, in d
  int rounds;
};

template <class G>
struct GriddedBlock {
  static constexpr int sets = 16 / G::width;  // points in a lane
  std::uint16_t d = 0;                        // f16
  Floats scale;                               // 2 * scale + 1
  Nearest point[sets];
  Floats offset[sets];        // -1, 0 or 1
  std::uint8_t negative[32];  // bit i of byte v: value 8 * v + i
};

// Magnitudes, or what stands for them: negative where the sign is wrong on purpose.
template <Signs signs>
QN_LANES_INLINE void take_signs(const Tile& tile, Floats (&x)[16], std::uint8_t (&negative)[32]) {
  Ints bits[2] = {set_int(0), set_int(0)};
  for (int half = 0; half < 2; ++half) {
    const Floats* value = tile.x + 8 * half;
    Floats place = set(8);  // of the sign to turn
    if constexpr (signs == Signs::even) {
      Floats minus = set(0), cheapest = set(3e38F), at = set(0);
      for (int i = 0; i < 8; ++i) {
        const Floats cost = tile.w[8 * half + i] * magnitude(value[i]);
        at = if_less(cost, cheapest, set(static_cast<float>(i)), at);
        cheapest = smaller(cost, cheapest);
        minus = minus + if_less(value[i], set(0), set(1), set(0));
      }
      const Floats odd = minus - set(2) * whole_part(set(0.5F) * minus);
      place = if_less(set(0.5F), odd, at, place);
    }
    for (int i = 7; i >= 0; --i) {
      const Floats right = magnitude(value[i]);
      x[8 * half + i] = if_equal(place, set(static_cast<float>(i)), set(0) - right, right);
      const Floats is_negative = if_less(value[i], set(0), set(1), set(0));
      const Floats written = if_equal(place, set(static_cast<float>(i)), set(1) - is_negative, is_negative);
      bits[half] = bits[half] + bits[half] + to_ints(written);
    }
  }
  std::int32_t lanes[2][16];
  store_lanes(lanes[0], bits[0]);
  store_lanes(lanes[1], bits[1]);
  for (int v = 0; v < 32; ++v) negative[v] = static_cast<std::uint8_t>(lanes[v % 2][v / 2]);
}

struct PointSums {
  Floats square, product;  // of weight * point^2, weight * value * point
};

QN_LANES_INLINE Floats point_error(const PointSums& s, Floats scale) {  // less the sum of weight * value^2
  return scale * (scale * s.square - set(2) * s.product);
}

QN_LANES_INLINE void choose(Floats a, Floats b, const Nearest& other, Nearest& point) {  // the other where a < b
  point.low = if_less(a, b, other.low, point.low);
  point.high = if_less(a, b, other.high, point.high);
  point.cost = if_less(a, b, other.cost, point.cost);
}

template <class G, int group, Offset offset>
PointSums nearest_points(const Floats (&x)[16], const Floats (&w)[16], Floats inverse, GriddedBlock<G>& out) {
  constexpr int sets = GriddedBlock<G>::sets;
  Floats y[16];
  for (int i = 0; i < 16; ++i) y[i] = x[i] * inverse;
  for (int s = 0; s < sets; ++s) {
    out.point[s] = nearest_point<G>(y + s * G::width, w + s * G::width, offset == Offset::none ? 0.0F : 1.0F);
    out.offset[s] = set(offset == Offset::none ? 0.0F : 1.0F);
  }
  if constexpr (offset != Offset::none) {
    Nearest below[sets];
    Floats cost = set(0), cost_below = set(0);
    for (int s = 0; s < sets; ++s) {
      below[s] = nearest_point<G>(y + s * G::width, w + s * G::width, -1.0F);
      cost = cost + out.point[s].cost;
      cost_below = cost_below + below[s].cost;
    }
    cost = group_sum<group>(cost);
    cost_below = group_sum<group>(cost_below);
    for (int s = 0; s < sets; ++s) {
      const Floats a = offset == Offset::of_group ? cost_below : below[s].cost;
      const Floats b = offset == Offset::of_group ? cost : out.point[s].cost;
      out.offset[s] = if_less(a, b, set(-1), set(1));
      choose(a, b, below[s], out.point[s]);
    }
  }
  PointSums sums{set(0), set(0)};
  for (int s = 0; s < sets; ++s) {
    Floats value[G::width];
    values_of<G>(out.point[s], value);
    for (int i = 0; i < G::width; ++i) {
      const Floats v = value[i] + out.offset[s];
      const Floats weighted = w[s * G::width + i] * v;
      sums.square = sums.square + weighted * v;
      sums.product = sums.product + weighted * x[s * G::width + i];
    }
  }
  return {group_sum<group>(sums.square), group_sum<group>(sums.product)};
}

template <class G, int group, Signs signs, Offset offset>
void search_gridded(const Tile& tile, const GriddedFormat& format, GriddedBlock<G>& best) {
  constexpr int sets = GriddedBlock<G>::sets;
  Floats x[16];
  if constexpr (signs == Signs::of_values)
    for (int i = 0; i < 16; ++i) x[i] = tile.x[i];
  else
    take_signs<signs>(tile, x, best.negative);
  Floats most = set(0);
  for (int i = 0; i < 16; ++i) most = larger(most, magnitude(x[i]));
  most = group_largest<group>(most);
  const Floats per_most = if_less(set(least_magnitude), most, set(G::top) / most, set(0));
  Floats ideal = set(0), least = set(0);
  GriddedBlock<G> now;
  // Last, the greatest magnitude at a point's least: what suits values that are all alike.
  constexpr float least_reach = static_cast<float>(G::values[0]) / G::top;
  const int steps = signs == Signs::of_values ? format.steps : format.steps + 1;
  for (int k = 0; k < steps; ++k) {
    const float reach = k < format.steps ? format.first + static_cast<float>(k) * format.step : least_reach;
    const PointSums sums = nearest_points<G, group, offset>(x, tile.w, set(reach) * per_most, now);
    const Floats scale = larger(sums.product / larger(sums.square, set(1e-30F)), set(0));
    const Floats error = point_error(sums, scale);
    ideal = if_less(error, least, scale, ideal);
    least = smaller(error, least);
  }
  // Scales are odd multiples of d, up to 2 * last_scale + 1.
  const float top_scale = static_cast<float>(2 * format.last_scale + 1);
  const auto odd_multiple = [&](Floats multiple) __attribute__((always_inline)) {
    return round_lanes(clamp((multiple - set(1)) * set(0.5F), set(0), set((top_scale - 1) * 0.5F)));
  };
  best.d = bounded_f16(largest_of_lanes(ideal) / (top_scale * format.factor));
  float d = f16_to_f32(best.d) * format.factor;
  best.scale = set(0);
  Floats middle = d > 0 ? odd_multiple(ideal * set(1 / d)) : set(0);
  for (int round = 0; round < format.rounds || round == 0; ++round) {
    Floats error = set(3e38F);
    PointSums chosen{set(0), set(0)};
    for (int off = -1; off <= 1; ++off) {
      const Floats tried = clamp(middle + set(static_cast<float>(off)), set(0), set(static_cast<float>(format.last_scale)));
      const Floats scale = set(d) * (set(2) * tried + set(1));
      const PointSums sums =
          nearest_points<G, group, offset>(x, tile.w, if_less(set(0), scale, set(1) / larger(scale, set(1e-30F)), set(0)), now);
      // The scale that suits these points best.
      const Floats suits = d > 0 ? odd_multiple(sums.product / larger(sums.square, set(1e-30F)) * set(1 / d)) : set(0);
      const Floats its_error = point_error(sums, set(d) * (set(2) * suits + set(1)));
      best.scale = if_less(its_error, error, suits, best.scale);
      chosen.square = if_less(its_error, error, sums.square, chosen.square);
      chosen.product = if_less(its_error, error, sums.product, chosen.product);
      for (int s = 0; s < sets; ++s) {
        choose(its_error, error, now.point[s], best.point[s]);
        best.offset[s] = if_less(its_error, error, now.offset[s], best.offset[s]);
      }
      error = smaller(its_error, error);
    }
    const Floats multiple = set(2) * best.scale + set(1);
    const float product = sum_of_lanes(multiple * chosen.product), square = sum_of_lanes(multiple * multiple * chosen.square);
    best.d = bounded_f16(square > 0 && product > 0 ? product / (square * format.factor) : 0);
    d = f16_to_f32(best.d) * format.factor;
    middle = best.scale;
  }
}

// Where the points ended up: number p is that of values [p * G::width, (p + 1) * G::width).
template <class G>
void point_numbers(const GriddedBlock<G>& block, std::uint16_t (&number)[256 / G::width]) {
  constexpr int sets = GriddedBlock<G>::sets;
  for (int s = 0; s < sets; ++s) {
    std::int32_t low[16], high[16];
    store_lanes(low, block.point[s].low);
    store_lanes(high, block.point[s].high);
    for (int lane = 0; lane < 16; ++lane) number[lane * sets + s] = static_cast<std::uint16_t>(point_number<G>(high[lane], low[lane]));
  }
}

// The scale of each lane, 0 to 15.
QN_LANES_INLINE void whole_scales(Floats scale, std::uint8_t (&out)[16]) {
  float lane[16];
  store_lanes(lane, scale);
  for (int i = 0; i < 16; ++i) out[i] = static_cast<std::uint8_t>(static_cast<int>(lane[i]));
}

}  // namespace
}  // namespace qn::quant
