// Writing: against gguf to the bit in tests/oracle/test_quant.py; here what holds for any values, hostile ones included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "quant/format.h"

namespace qn::quant {
namespace {

std::vector<float> round_trip(const Format& format, const std::vector<float>& values) {
  const std::size_t block_count = values.size() / static_cast<std::size_t>(format.block_weights);
  std::vector<std::byte> blocks(block_count * static_cast<std::size_t>(format.block_bytes));
  std::vector<float> back(values.size());
  format.quantize(values.data(), nullptr, blocks.data(), block_count);
  format.dequantize(blocks.data(), back.data(), block_count);
  return back;
}

// Greatest error over the greatest magnitude, in a block of values that are all over [-1, 1].
struct Bound {
  std::string_view format;
  double error;
};
constexpr Bound bounds[] = {
    {"F32", 0},         {"F16", 1.0 / 2048}, {"BF16", 1.0 / 256}, {"Q8_0", 0.6 / 127}, {"Q5_0", 1.1 / 16},
    {"Q5_1", 1.1 / 31}, {"Q4_0", 1.1 / 8},   {"Q4_1", 1.1 / 15},  {"IQ4_NL", 0.16},
};

TEST(Quantize, values_come_back_within_the_step_of_the_format) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(32 * 500);
  for (float& value : values) value = uniform(random);
  for (const Bound& bound : bounds) {
    const Format* format = find_format(bound.format);
    ASSERT_NE(format->quantize, nullptr) << bound.format;
    const std::vector<float> back = round_trip(*format, values);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_LE(std::abs(values[i] - back[i]), bound.error) << bound.format << " " << i;
  }
}

TEST(Quantize, the_formats_of_the_cache_are_those_written_without_a_search) {
  for (const Format& format : formats()) {
    const bool listed = std::any_of(std::begin(bounds), std::end(bounds), [&](const Bound& bound) { return bound.format == format.name; });
    EXPECT_EQ(format.for_cache, listed) << format.name;
  }
}

TEST(Quantize, zeros_come_back_as_zeros) {
  for (const Bound& bound : bounds)
    for (float value : round_trip(*find_format(bound.format), std::vector<float>(64, 0.0F))) ASSERT_EQ(value, 0.0F) << bound.format;
}

TEST(Quantize, q8_0_keeps_what_it_wrote_before) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> values(32 * 200);
  for (float& value : values) value = normal(random);
  const std::vector<float> once = round_trip(*find_format("Q8_0"), values);
  EXPECT_EQ(round_trip(*find_format("Q8_0"), once), once);
}

// A uniform step loses to uneven ones on weights that look like weights.
TEST(Quantize, iq4_nl_is_closer_than_q4_0_on_normal_values) {
  std::mt19937_64 random(9);
  std::normal_distribution<float> normal;
  std::vector<float> values(32 * 2000);
  for (float& value : values) value = normal(random);
  const auto squared_error = [&](std::string_view name) {
    const std::vector<float> back = round_trip(*find_format(name), values);
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += std::pow(double{values[i]} - back[i], 2);
    return sum / static_cast<double>(values.size());
  };
  EXPECT_LT(squared_error("IQ4_NL"), 0.9 * squared_error("Q4_0"));
}

TEST(Quantize, infinities_nans_and_denormals_are_written_without_undefined_behaviour) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float tiny = std::numeric_limits<float>::denorm_min();
  constexpr float huge = std::numeric_limits<float>::max();
  for (const Bound& bound : bounds) {
    for (float odd : {infinity, -infinity, nan, -nan, tiny, -tiny, huge, -huge}) {
      std::vector<float> values(32, 1.0F);
      values[7] = odd;
      round_trip(*find_format(bound.format), values);
      std::fill(values.begin(), values.end(), odd);
      round_trip(*find_format(bound.format), values);
      std::fill(values.begin(), values.begin() + 16, -odd);
      round_trip(*find_format(bound.format), values);
    }
  }
}

}  // namespace
}  // namespace qn::quant
