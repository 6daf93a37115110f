#include "quant/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qn::quant {
namespace {

bool is_nan_f16(int half) {
  return (half & 0x7FFF) > 0x7C00;
}

// The definition of binary16, in double.
double f16_by_definition(int half) {
  const int exponent = half >> 10 & 31;
  const double fraction = half & 1023;
  const double magnitude = exponent == 31  ? std::numeric_limits<double>::infinity()
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

TEST(Half, every_f16_reads_as_its_definition_says) {
  for (int half = 0; half < 1 << 16; ++half) {
    const float value = f16_to_f32(static_cast<std::uint16_t>(half));
    if (is_nan_f16(half)) {
      EXPECT_TRUE(std::isnan(value)) << half;
    } else {
      EXPECT_EQ(value, f16_by_definition(half)) << half;
      EXPECT_EQ(std::signbit(value), (half & 0x8000) != 0) << half;
    }
  }
}

TEST(Half, every_f16_survives_the_way_through_f32) {
  for (int half = 0; half < 1 << 16; ++half) {
    const std::uint16_t back = f32_to_f16(f16_to_f32(static_cast<std::uint16_t>(half)));
    if (is_nan_f16(half)) {
      EXPECT_TRUE(is_nan_f16(back)) << half;
    } else {
      EXPECT_EQ(back, half);
    }
  }
}

TEST(Half, a_value_between_two_f16_goes_to_the_nearer_and_a_tie_to_the_even_one) {
  for (int half = 0; half < 0x7BFF; ++half) {
    const double low = f16_by_definition(half);
    const double high = f16_by_definition(half + 1);
    const auto middle = static_cast<float>((low + high) / 2);  // exact
    const int even = half % 2 == 0 ? half : half + 1;
    ASSERT_EQ(f32_to_f16(middle), even) << half;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0F)), half);
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e9F)), half + 1);
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000);
  }
}

TEST(Half, f16_becomes_infinite_from_the_middle_between_the_largest_and_65536) {
  EXPECT_EQ(f32_to_f16(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);
  EXPECT_EQ(f32_to_f16(1e30F), 0x7C00);
  EXPECT_EQ(f32_to_f16(-std::numeric_limits<float>::infinity()), 0xFC00);
}

TEST(Half, what_is_below_half_of_the_smallest_denormal_is_zero_with_its_sign) {
  EXPECT_EQ(f32_to_f16(std::ldexp(1.0F, -25)), 0);  // a tie, to even
  EXPECT_EQ(f32_to_f16(std::nextafter(std::ldexp(1.0F, -25), 1.0F)), 1);
  EXPECT_EQ(f32_to_f16(-std::numeric_limits<float>::denorm_min()), 0x8000);
}

TEST(Half, every_bf16_survives_the_way_through_f32) {
  for (int half = 0; half < 1 << 16; ++half) {
    const float value = bf16_to_f32(static_cast<std::uint16_t>(half));
    const std::uint16_t back = f32_to_bf16(value);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bf16_to_f32(back)));
    } else {
      EXPECT_EQ(back, half);
    }
  }
}

TEST(Half, bf16_ties_go_to_the_even_one_and_past_the_largest_to_infinity) {
  EXPECT_EQ(f32_to_bf16(float_of(0x3F808000)), 0x3F80);
  EXPECT_EQ(f32_to_bf16(float_of(0x3F818000)), 0x3F82);
  EXPECT_EQ(f32_to_bf16(float_of(0x3F808001)), 0x3F81);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7F80);
}

TEST(Half, a_nan_whose_payload_is_only_in_the_lower_bits_stays_a_nan) {
  EXPECT_TRUE(is_nan_f16(f32_to_f16(float_of(0x7F800001))));
  EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(float_of(0x7F800001)))));
}

}  // namespace
}  // namespace qn::quant
