#include "quant/bits.h"

#include <gtest/gtest.h>

#include <bit>

namespace qn::quant {
namespace {

TEST(Bits, spread_puts_bit_i_into_byte_i) {
  for (int bits = 0; bits < 256; ++bits)
    for (int i = 0; i < 8; ++i) ASSERT_EQ(spread_bits(static_cast<std::uint8_t>(bits)) >> 8 * i & 0xFF, bits >> i & 1u);
}

TEST(Bits, negate_where_touches_only_the_bytes_with_a_sign) {
  for (int code : {1, 8, 25, 43, 62, 127}) {
    for (int signs = 0; signs < 256; ++signs) {
      const std::uint64_t codes = static_cast<std::uint64_t>(code) * 0x0101010101010101u;
      const std::uint64_t negated = negate_where(codes, static_cast<std::uint8_t>(signs));
      for (int i = 0; i < 8; ++i) ASSERT_EQ(static_cast<std::int8_t>(negated >> 8 * i), signs >> i & 1 ? -code : code);
    }
  }
}

TEST(Bits, the_eighth_sign_makes_the_number_of_minus_signs_even) {
  for (std::uint32_t seven = 0; seven < 128; ++seven) {
    const std::uint8_t signs = with_eighth_sign(seven);
    ASSERT_EQ(signs & 127u, seven);
    ASSERT_EQ(std::popcount(signs) % 2, 0);
  }
}

}  // namespace
}  // namespace qn::quant
