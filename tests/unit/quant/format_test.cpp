#include "quant/format.h"

#include <gtest/gtest.h>

#include <set>

namespace qn::quant {
namespace {

TEST(Formats, a_format_is_found_by_its_number_and_by_its_name_in_any_case) {
  const Format* by_name = find_format("q4_k");
  ASSERT_NE(by_name, nullptr);
  EXPECT_EQ(by_name->name, "Q4_K");
  EXPECT_EQ(find_format("Q4_K"), by_name);
  EXPECT_EQ(find_format(12), by_name);
}

TEST(Formats, an_unknown_format_is_not_found) {
  EXPECT_EQ(find_format("Q4_X"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
  EXPECT_EQ(find_format(4), nullptr);  // Q4_2, removed from GGUF
  EXPECT_EQ(find_format(~0u), nullptr);
}

TEST(Formats, names_and_numbers_are_unique) {
  std::set<std::string_view> names;
  std::set<std::uint32_t> types;
  for (const Format& format : formats()) {
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
    EXPECT_TRUE(types.insert(format.gguf_type).second) << format.name;
  }
}

TEST(Formats, block_sizes_are_those_of_gguf) {
  struct Row {
    std::string_view name;
    std::uint32_t type;
    int weights;
    int bytes;
  };
  const Row rows[] = {
      {"F32", 0, 1, 4},         {"F16", 1, 1, 2},         {"BF16", 30, 1, 2},     {"Q4_0", 2, 32, 18},      {"Q4_1", 3, 32, 20},
      {"Q5_0", 6, 32, 22},      {"Q5_1", 7, 32, 24},      {"Q8_0", 8, 32, 34},    {"Q2_K", 10, 256, 84},    {"Q3_K", 11, 256, 110},
      {"Q4_K", 12, 256, 144},   {"Q5_K", 13, 256, 176},   {"Q6_K", 14, 256, 210}, {"IQ1_S", 19, 256, 50},   {"IQ1_M", 29, 256, 56},
      {"IQ2_XXS", 16, 256, 66}, {"IQ2_XS", 17, 256, 74},  {"IQ2_S", 22, 256, 82}, {"IQ3_XXS", 18, 256, 98}, {"IQ3_S", 21, 256, 110},
      {"IQ4_NL", 20, 32, 18},   {"IQ4_XS", 23, 256, 136}, {"TQ1_0", 34, 256, 54}, {"TQ2_0", 35, 256, 66},   {"MXFP4", 39, 32, 17},
  };
  EXPECT_EQ(formats().size(), std::size(rows));
  for (const Row& row : rows) {
    const Format* format = find_format(row.name);
    ASSERT_NE(format, nullptr) << row.name;
    EXPECT_EQ(format->gguf_type, row.type) << row.name;
    EXPECT_EQ(format->block_weights, row.weights) << row.name;
    EXPECT_EQ(format->block_bytes, row.bytes) << row.name;
  }
}

TEST(Formats, a_row_is_as_long_as_its_blocks) {
  EXPECT_EQ(find_format("Q4_K")->row_bytes(1024), 4u * 144);
  EXPECT_EQ(find_format("F16")->row_bytes(3), 6u);
}

TEST(Formats, every_format_is_written_and_the_coarsest_by_importance_only) {
  const std::set<std::string_view> coarsest = {"IQ1_S", "IQ2_XXS", "IQ2_XS"};
  for (const Format& format : formats()) {
    EXPECT_NE(format.quantize, nullptr) << format.name;
    EXPECT_EQ(format.needs_importance, coarsest.contains(format.name)) << format.name;
  }
}

TEST(Formats, only_blocked_formats_have_integers) {
  for (const Format& format : formats()) {
    EXPECT_EQ(format.kind == Kind::quantized, format.block_weights > 1) << format.name;
    EXPECT_EQ(format.kind == Kind::quantized, format.unpack != nullptr) << format.name;
    EXPECT_EQ(format.block_weights % (format.block_weights > 1 ? group_weights : 1), 0) << format.name;
    EXPECT_LE(format.block_weights, max_block_weights) << format.name;
  }
}

}  // namespace
}  // namespace qn::quant
