#include "quant/random_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace qn::quant {
namespace {

std::vector<std::byte> random_blocks(const Format& format, std::uint64_t seed, float spread, std::size_t blocks) {
  std::vector<std::byte> bytes(blocks * static_cast<std::size_t>(format.block_bytes));
  fill_random(format, seed, spread, bytes);
  return bytes;
}

TEST(RandomBlocks, every_format_gets_the_spread_that_was_asked_for_around_zero) {
  for (const Format& format : formats()) {
    for (const float spread : {0.02F, 0.5F}) {
      const std::size_t blocks = 64 * 1024 / static_cast<std::size_t>(format.block_weights);
      std::vector<float> values(64 * 1024);
      format.dequantize(random_blocks(format, 7, spread, blocks).data(), values.data(), blocks);
      double sum = 0, squares = 0;
      for (const float value : values) {
        ASSERT_TRUE(std::isfinite(value)) << format.name;
        sum += value;
        squares += static_cast<double>(value) * value;
      }
      const double count = static_cast<double>(values.size());
      // A power of two is as near as MXFP4's scale comes.
      const double low = format.name == "MXFP4" ? 0.6 : 0.9, high = format.name == "MXFP4" ? 1.6 : 1.15;
      EXPECT_GT(std::sqrt(squares / count), low * spread) << format.name;
      EXPECT_LT(std::sqrt(squares / count), high * spread) << format.name;
      EXPECT_LT(std::fabs(sum / count), 0.1 * spread) << format.name;
    }
  }
}

TEST(RandomBlocks, no_block_is_all_zeros_and_most_neighbours_differ) {
  for (const Format& format : formats()) {
    const auto size = static_cast<std::size_t>(format.block_weights);
    const std::size_t blocks = 4096 / size;
    std::vector<float> values(4096);
    format.dequantize(random_blocks(format, 3, 0.02F, blocks).data(), values.data(), blocks);
    int equal = 0;
    for (std::size_t i = 1; i < values.size(); ++i) equal += values[i] == values[i - 1] ? 1 : 0;
    EXPECT_LT(equal, 3000) << format.name;
    for (std::size_t block = 0; block < blocks; ++block) {
      float largest = 0;
      for (std::size_t i = 0; i < size; ++i) largest = std::max(largest, std::fabs(values[block * size + i]));
      EXPECT_GT(largest, 0x1p-126F) << format.name << " block " << block;
    }
  }
}

TEST(RandomBlocks, a_seed_gives_the_same_bytes_again_and_another_seed_others) {
  for (const Format& format : formats()) {
    EXPECT_EQ(random_blocks(format, 5, 0.02F, 64), random_blocks(format, 5, 0.02F, 64)) << format.name;
    EXPECT_NE(random_blocks(format, 5, 0.02F, 64), random_blocks(format, 6, 0.02F, 64)) << format.name;
  }
}

}  // namespace
}  // namespace qn::quant
