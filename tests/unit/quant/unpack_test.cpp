// What every blocked format promises, over random blocks and over the blocks where every bit is alike.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include "quant/registry.h"

namespace qn::quant {
namespace {

// Any bytes; first come the blocks that are one byte throughout, so that all-zeros and all-ones are always among them.
template <class F, class Visit>
void for_many_blocks(Visit visit) {
  std::mt19937_64 random(F::gguf_type);
  for (int index = 0; index < 4000; ++index) {
    typename F::Block block;
    unsigned char bytes[sizeof block];
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(index < 256 ? index : random());
    std::memcpy(&block, bytes, sizeof block);
    visit(block);
  }
}

template <class F>
IntBlock unpack(const typename F::Block& block) {
  IntBlock ints;
  F::unpack(block, ints);
  return ints;
}

template <class F>
class EachFormat : public testing::Test {};

struct FormatName {
  template <class F>
  static std::string GetName(int) {
    return std::string(F::name);
  }
};

using BlockedFormats = testing::Types<Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S,
                                      IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS, TQ1_0, TQ2_0, MXFP4>;
TYPED_TEST_SUITE(EachFormat, BlockedFormats, FormatName);

TYPED_TEST(EachFormat, integers_in_double_agree_with_the_floats_to_rounding) {
  for_many_blocks<TypeParam>([](const typename TypeParam::Block& block) {
    const IntBlock ints = unpack<TypeParam>(block);
    if (!std::isfinite(ints.d) || !std::isfinite(ints.dmin)) return;
    float values[TypeParam::weights];
    TypeParam::dequantize(block, values);
    for (int i = 0; i < TypeParam::weights; ++i) {
      const int group = i / group_weights;
      const double product = double{ints.d} * ints.scale[group] * ints.code[i];
      const double offset = double{ints.dmin} * ints.min[group];
      if (!std::isfinite(static_cast<float>(product - offset))) continue;  // MXFP4 reaches past the floats
      // One rounding of the product and one of the difference, half a last bit each.
      const double bound = (std::abs(product) + std::abs(product - offset)) * std::ldexp(1.0, -24);
      ASSERT_LE(std::abs(product - offset - values[i]), bound) << i;
    }
  });
}

// The largest |scale * code| is what fills the 32 bits of a sum, so the declared maxima must be true, and are best when tight.
TYPED_TEST(EachFormat, codes_and_scales_reach_their_declared_maxima_and_no_more) {
  int code = 0;
  int scale = 0;
  for_many_blocks<TypeParam>([&](const typename TypeParam::Block& block) {
    const IntBlock ints = unpack<TypeParam>(block);
    for (int i = 0; i < TypeParam::weights; ++i) code = std::max(code, std::abs(int{ints.code[i]}));
    for (int i = 0; i < TypeParam::weights / group_weights; ++i) scale = std::max(scale, std::abs(int{ints.scale[i]}));
  });
  EXPECT_EQ(code, TypeParam::max_code);
  EXPECT_EQ(scale, TypeParam::max_scale);
}

TYPED_TEST(EachFormat, a_product_with_int8_summed_over_a_block_fits_32_bits) {
  constexpr std::int64_t worst = std::int64_t{TypeParam::weights} * TypeParam::max_code * TypeParam::max_scale * 127;
  EXPECT_LT(worst, std::int64_t{1} << 31);
}

TYPED_TEST(EachFormat, unpack_leaves_nothing_of_the_block_before) {
  for_many_blocks<TypeParam>([](const typename TypeParam::Block& block) {
    const IntBlock clean = unpack<TypeParam>(block);
    IntBlock used;
    std::memset(static_cast<void*>(&used), 0x5A, sizeof used);
    TypeParam::unpack(block, used);
    constexpr int groups = TypeParam::weights / group_weights;
    ASSERT_EQ(std::memcmp(&clean.d, &used.d, sizeof clean.d), 0);
    ASSERT_EQ(std::memcmp(&clean.dmin, &used.dmin, sizeof clean.dmin), 0);
    ASSERT_TRUE(std::equal(clean.code, clean.code + TypeParam::weights, used.code));
    ASSERT_TRUE(std::equal(clean.scale, clean.scale + groups, used.scale));
    ASSERT_TRUE(std::equal(clean.min, clean.min + groups, used.min));
  });
}

TYPED_TEST(EachFormat, minima_are_there_exactly_where_the_format_has_them) {
  bool seen = false;
  for_many_blocks<TypeParam>([&](const typename TypeParam::Block& block) {
    const IntBlock ints = unpack<TypeParam>(block);
    for (int i = 0; i < TypeParam::weights / group_weights; ++i) seen |= ints.min[i] != 0;
    seen |= ints.dmin != 0;
  });
  EXPECT_EQ(seen, TypeParam::has_min);
}

TYPED_TEST(EachFormat, the_table_reads_many_blocks_as_the_struct_reads_each) {
  const Format* format = find_format(TypeParam::gguf_type);
  ASSERT_NE(format, nullptr);
  std::vector<typename TypeParam::Block> blocks;
  for_many_blocks<TypeParam>([&](const typename TypeParam::Block& block) { blocks.push_back(block); });
  blocks.resize(67);
  std::vector<float> all(blocks.size() * TypeParam::weights);
  std::vector<float> each(all.size());
  format->dequantize(reinterpret_cast<const std::byte*>(blocks.data()), all.data(), blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) TypeParam::dequantize(blocks[i], each.data() + i * TypeParam::weights);
  EXPECT_EQ(std::memcmp(all.data(), each.data(), all.size() * sizeof(float)), 0);
}

TEST(Q4_0, low_nibbles_come_first_and_eight_means_zero) {
  Q4_0::Block block{};
  block.d.set(f32_to_f16(0.5F));
  block.q[0] = 0xF8;
  float values[32];
  Q4_0::dequantize(block, values);
  EXPECT_EQ(values[0], 0.0F);
  EXPECT_EQ(values[16], 3.5F);
  EXPECT_EQ(values[1], -4.0F);
}

TEST(Q4_1, the_offset_is_added) {
  Q4_1::Block block{};
  block.d.set(f32_to_f16(2));
  block.m.set(f32_to_f16(-3));
  block.q[0] = 0x05;
  float values[32];
  Q4_1::dequantize(block, values);
  EXPECT_EQ(values[0], 7.0F);
  EXPECT_EQ(values[16], -3.0F);
}

TEST(IQ1_S, codes_are_odd_eighths) {
  for_many_blocks<IQ1_S>([](const IQ1_S::Block& block) {
    const IntBlock ints = unpack<IQ1_S>(block);
    for (int code : ints.code) ASSERT_TRUE(code == -9 || code == -7 || code == -1 || code == 1 || code == 7 || code == 9) << code;
  });
}

TEST(MXFP4, the_scale_is_a_power_of_two_from_2_to_the_minus_127_on) {
  MXFP4::Block block{};
  block.q[0] = 2;  // the code of 1.0
  float values[32];
  for (int e = 0; e < 255; ++e) {
    block.e = static_cast<std::uint8_t>(e);
    MXFP4::dequantize(block, values);
    EXPECT_EQ(values[0], std::ldexp(1.0, e - 127)) << e;
  }
}

}  // namespace
}  // namespace qn::quant
