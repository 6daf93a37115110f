#include "cli/files/quantize_flags.h"

#include <gtest/gtest.h>

namespace qn::cli {
namespace {

Result<QuantizeWords> words(std::vector<std::string> list) {
  return read_quantize_words(list);
}

TEST(QuantizeFlags, out_and_threads_may_be_left_out) {
  const auto all = words({"in.gguf", "out.gguf", "q4_k_m", "3"});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->out, "out.gguf");
  EXPECT_EQ(all->mix->name, "Q4_K_M");
  EXPECT_EQ(all->threads, 3);
  const auto few = words({"in.gguf", "Q8_0"});
  ASSERT_TRUE(few);
  EXPECT_FALSE(few->out);
  EXPECT_FALSE(few->threads);
  EXPECT_EQ(words({"in.gguf", "17", "2"})->mix->name, "Q5_K_M");
}

TEST(QuantizeFlags, words_that_make_no_sense_are_refused) {
  EXPECT_FALSE(words({}));
  EXPECT_FALSE(words({"in.gguf"}));
  EXPECT_FALSE(words({"in.gguf", "out.gguf"}));
  EXPECT_FALSE(words({"in.gguf", "out.gguf", "Q4_K_M", "two"}));
  EXPECT_FALSE(words({"in.gguf", "out.gguf", "Q4_K_M", "2", "more"}));
}

TEST(QuantizeFlags, metadata_changes_have_a_type) {
  const auto value = [](std::string_view text) { return read_metadata_change(text)->second; };
  EXPECT_EQ(std::get<std::string>(value("general.name=str:a=b:c")), "a=b:c");
  EXPECT_EQ(std::get<std::uint32_t>(value("k=int:7")), 7u);
  EXPECT_EQ(std::get<std::int64_t>(value("k=int:-7")), -7);
  EXPECT_EQ(std::get<float>(value("k=float:0.5")), 0.5f);
  EXPECT_EQ(std::get<bool>(value("k=bool:true")), true);
  for (const char* wrong : {"k", "=int:7", "k=int", "k=int:7x", "k=bool:1", "k=u8:7", "k=int:"})
    EXPECT_FALSE(read_metadata_change(wrong)) << wrong;
}

TEST(QuantizeFlags, overrides_are_a_pattern_and_a_type) {
  const auto row = read_override("Attn_V=q8_0");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->pattern, "attn_v");
  EXPECT_EQ(row->format->name, "Q8_0");
  for (const char* wrong : {"attn_v", "=q8_0", "attn_v=", "attn_v=q9"}) EXPECT_FALSE(read_override(wrong)) << wrong;
}

TEST(QuantizeFlags, layers_are_numbers) {
  EXPECT_EQ(read_layers("4,5,4,0").value(), (std::vector<int>{4, 5, 0}));
  for (const char* wrong : {"", "4,", ",4", "a", "-1"}) EXPECT_FALSE(read_layers(wrong)) << wrong;
}

}  // namespace
}  // namespace qn::cli
