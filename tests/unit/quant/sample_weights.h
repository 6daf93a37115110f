// Numbers that look like weights, the same on every run: what writers are measured on here and in bench/quantize.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

namespace qn::quant {

inline constexpr std::size_t sample_columns = 1024;
inline constexpr std::size_t sample_count = 64 * sample_columns;

inline std::vector<float> normal_weights(std::size_t count = sample_count) {
  std::mt19937_64 random(11);
  std::normal_distribution<float> normal(0, 0.02F);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// A few are far from the rest, as in trained matrices, only more so.
inline std::vector<float> heavy_weights(std::size_t count = sample_count) {
  std::mt19937_64 random(12);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) {
    const float spread = normal(random);
    value = 0.02F * normal(random) * std::exp(std::min(0.5F * spread * spread, 4.0F));
  }
  return values;
}

// One for each column: squares of normal numbers, some columns thirty times as important.
inline std::vector<float> sample_importance(std::size_t columns = sample_columns) {
  std::mt19937_64 random(13);
  std::normal_distribution<float> normal;
  std::vector<float> importance(columns);
  for (float& one : importance) {
    const float x = normal(random);
    one = (x * x + 0.001F) * (random() % 64 == 0 ? 30.0F : 1.0F);
  }
  return importance;
}

// Root of the weighted mean square of the error, over that of the values. importance: empty, or one for each column.
inline double relative_error(const std::vector<float>& values, const std::vector<float>& back, const std::vector<float>& importance) {
  double error = 0, whole = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double weight = importance.empty() ? 1.0 : double{importance[i % importance.size()]};
    error += weight * (double{values[i]} - back[i]) * (double{values[i]} - back[i]);
    whole += weight * double{values[i]} * values[i];
  }
  return std::sqrt(error / whole);
}

}  // namespace qn::quant
