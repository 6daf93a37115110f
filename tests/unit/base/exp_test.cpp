#include "base/exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace qn {
namespace {

TEST(PortableExp, is_within_2e_7_of_the_true_value) {
  for (float x = -87.0f; x <= 88.0f; x += 0.00137f) {
    const double expected = std::exp(static_cast<double>(x));
    ASSERT_NEAR(portable_exp(x) / expected, 1.0, 2e-7) << x;
  }
}

TEST(PortableExp, is_exact_at_zero_and_zero_far_below) {
  EXPECT_EQ(portable_exp(0.0f), 1.0f);
  EXPECT_EQ(portable_exp(-88.0f), 0.0f);
  EXPECT_LT(portable_exp(-87.4f), 2e-38f);
  EXPECT_EQ(portable_exp(-std::numeric_limits<float>::infinity()), 0.0f);
}

// Bits written down once: another compiler, library or processor must give the same.
TEST(PortableExp, gives_the_same_bits_everywhere) {
  EXPECT_EQ(std::bit_cast<std::uint32_t>(portable_exp(-1.0f)), 0x3EBC5AB2u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(portable_exp(-10.25f)), 0x38144CD4u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(portable_log(3.0)), 0x3FF193EA7AAD030Bu);
}

TEST(PortableLog, is_within_1e_15_of_the_true_value) {
  for (double x = 1e-40; x < 1e12; x *= 1.00371)
    ASSERT_NEAR(portable_log(x), std::log(x), 1e-15 * std::max(1.0, std::abs(std::log(x)))) << x;
  EXPECT_EQ(portable_log(1.0), 0.0);
}

}  // namespace
}  // namespace qn
