// One scale for 256 values of -1, 0 and 1, as TQ1_0 and TQ2_0 have: values beyond a threshold count, and the scale is their mean.
#pragma once

#include "quant/write/tile.h"

namespace qn::quant {
namespace {

struct Ternary {
  std::uint16_t d;   // f16
  Floats digit[16];  // value = d * (digit - 1), 16 to a row
};

constexpr int threshold_count = 8;

// A model trained to be ternary has one magnitude beside 0, which any threshold between finds.
void search_ternary(const float* values, const float* importance, Ternary& out) {
  Tile tile;
  load_rows(values, importance, tile);
  Floats all = set(0), most = set(0);
  Floats wx[16];
  for (int i = 0; i < 16; ++i) {
    wx[i] = tile.w[i] * magnitude(tile.x[i]);
    all = all + wx[i];
    most = larger(most, magnitude(tile.x[i]));
  }
  // Thresholds from about a third of the mean to half the greatest magnitude, each the same ratio above the last.
  const float first = sum_of_lanes(all) * (0.3F / 256);  // the weights are 1 on average
  const float last = 0.5F * largest_of_lanes(most);
  float threshold = 0, gain = 0, scale = 0;
  if (first > 0 && last > 0) {
    const float ratio = __builtin_sqrtf(__builtin_sqrtf(__builtin_sqrtf(last / first)));
    float tried[threshold_count] = {last};
    for (int k = 1; k < threshold_count; ++k) tried[k] = tried[k - 1] / ratio;
    Floats sums[16];  // of weight * magnitude, then of weight, for each threshold
    for (int k = 0; k < threshold_count; k += 4) {
      Floats sum[4] = {set(0), set(0), set(0), set(0)}, weight[4] = {set(0), set(0), set(0), set(0)};
      for (int i = 0; i < 16; ++i) {
        const Floats size = magnitude(tile.x[i]);
#pragma GCC unroll 4
        for (int t = 0; t < 4; ++t) {
          sum[t] = if_less(set(tried[k + t]), size, sum[t] + wx[i], sum[t]);
          weight[t] = if_less(set(tried[k + t]), size, weight[t] + tile.w[i], weight[t]);
        }
      }
      for (int t = 0; t < 4; ++t) {
        sums[k + t] = sum[t];
        sums[threshold_count + k + t] = weight[t];
      }
    }
    float lanes[256], total[16];
    for (int k = 0; k < 16; ++k) store_lanes(lanes + 16 * k, sums[k]);
    transpose(lanes, sums);
    Floats added = sums[0];
    for (int k = 1; k < 16; ++k) added = added + sums[k];
    store_lanes(total, added);
    const auto consider = [&](float s, float w, float t) {
      if (w > 0 && s * s > gain * w) {  // the error falls by s * s / w
        gain = s * s / w;
        scale = s / w;
        threshold = t;
      }
    };
    for (int k = 0; k < threshold_count; ++k) consider(total[k], total[threshold_count + k], tried[k]);
    // The best threshold for a scale is half of it.
    Floats sum = set(0), weight = set(0);
    const float half = 0.5F * scale;
    for (int i = 0; i < 16; ++i) {
      const Floats size = magnitude(tile.x[i]);
      sum = if_less(set(half), size, sum + wx[i], sum);
      weight = if_less(set(half), size, weight + tile.w[i], weight);
    }
    consider(sum_of_lanes(sum), sum_of_lanes(weight), half);
  }
  out.d = bounded_f16(scale);
  const Floats above = set(threshold);
  for (int i = 0; i < 16; ++i) {
    const Floats digit = if_less(above, tile.x[i], set(2), set(1));
    out.digit[i] = if_less(tile.x[i], set(0) - above, set(0), digit);
  }
}

}  // namespace
}  // namespace qn::quant
