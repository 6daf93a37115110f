#include "model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace qn::model {
namespace {

TEST(SinCos, agrees_with_libm_to_1e_15_over_all_angles_that_positions_can_reach) {
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const double range = std::ldexp(1.0, static_cast<int>(i % 28));
    const double x = static_cast<float>(uniform(1, i) * range);
    const SinCos got = sin_cos(x);
    ASSERT_NEAR(got.sin, std::sin(x), 1e-15) << x;
    ASSERT_NEAR(got.cos, std::cos(x), 1e-15) << x;
  }
}

TEST(SinCos, quarter_turns_have_the_right_signs) {
  EXPECT_EQ(sin_cos(0).sin, 0);
  EXPECT_EQ(sin_cos(0).cos, 1);
  EXPECT_GT(sin_cos(1.6).sin, 0.99);
  EXPECT_LT(sin_cos(1.6).cos, 0);
  EXPECT_LT(sin_cos(3.2).sin, 0);
  EXPECT_LT(sin_cos(4.7).sin, -0.99);
}

Sizes with(RopeScaling scaling) {
  Sizes sizes;
  sizes.rotated = 64;
  sizes.rope_theta = 10000;
  sizes.rope_scaling = scaling;
  return sizes;
}

TEST(RopeFrequencies, linear_scaling_divides_every_frequency) {
  const auto plain = rope_frequencies(with({}), {}), scaled = rope_frequencies(with({.kind = RopeScaling::Kind::linear, .factor = 4}), {});
  for (std::size_t i = 0; i < 32; ++i) EXPECT_EQ(scaled.inverse[i], plain.inverse[i] / 4);
}

TEST(RopeFrequencies, yarn_keeps_fast_components_and_divides_slow_ones) {
  const auto plain = rope_frequencies(with({}), {});
  const auto yarn = rope_frequencies(with({.kind = RopeScaling::Kind::yarn, .factor = 4, .original_context = 4096}), {});
  EXPECT_EQ(yarn.inverse.front(), plain.inverse.front());
  EXPECT_FLOAT_EQ(yarn.inverse.back(), plain.inverse.back() / 4);
  EXPECT_FLOAT_EQ(yarn.magnitude, 0.1f * std::log(4.0f) + 1);
}

TEST(RopeFrequencies, divisors_from_the_file_divide) {
  std::vector<float> divisors(32, 1.0f);
  divisors[31] = 8;
  const auto plain = rope_frequencies(with({}), {}), scaled = rope_frequencies(with({}), divisors);
  EXPECT_EQ(scaled.inverse[0], plain.inverse[0]);
  EXPECT_EQ(scaled.inverse[31], plain.inverse[31] / 8);
}

}  // namespace
}  // namespace qn::model
