#include <gtest/gtest.h>

#include "tokenizer_samples.h"

namespace qn::text {
namespace {

std::string pieces(const VocabSpec& spec, std::string_view text) {
  const auto tokenizer = Tokenizer::make(spec);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return samples::shown(*tokenizer, tokenizer->encode(text, {}));
}

TEST(SentencePiece, the_token_with_the_highest_score_is_made_first) {
  EXPECT_EQ(pieces(samples::sentencepiece({"bc", "ab", "a", "b", "c", "▁"}), "abc"), " |a|bc");
  EXPECT_EQ(pieces(samples::sentencepiece({"ab", "bc", "a", "b", "c", "▁"}), "abc"), " |ab|c");
}

TEST(SentencePiece, tokens_of_equal_score_are_made_from_the_left) {
  VocabSpec spec = samples::sentencepiece({"bc", "ab", "a", "b", "c", "▁"});
  for (float& score : spec.scores) score = 0;
  EXPECT_EQ(pieces(spec, "abc"), " |ab|c");
}

TEST(SentencePiece, a_character_without_a_token_becomes_its_bytes) {
  const auto tokenizer = Tokenizer::make(samples::sentencepiece({"a", "▁"}));
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("é", {}), (std::vector<TokenId>{260, 3 + 0xC3, 3 + 0xA9}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("aé\n", {}), false), "aé\n");
}

TEST(SentencePiece, without_bytes_a_run_of_unknown_characters_is_one_unknown_token) {
  VocabSpec spec = samples::sentencepiece({"a", "▁"});
  for (TokenType& type : spec.types)
    if (type == TokenType::byte) type = TokenType::unused;
  EXPECT_EQ(pieces(spec, "aéüa"), " |a|<unk>|a");
  spec.fuse_unknown = false;
  EXPECT_EQ(pieces(spec, "aéüa"), " |a|<unk>|<unk>|a");
}

TEST(SentencePiece, every_stretch_between_special_tokens_gets_its_space) {
  VocabSpec spec = samples::sentencepiece({"▁a", "a", "▁"});
  EXPECT_EQ(pieces(spec, "a</s>a"), " a|</s>| a");
  spec.space_prefix = SpacePrefix::unless_there_at_start;
  EXPECT_EQ(pieces(spec, "a</s>a"), " a|</s>|a");
  EXPECT_EQ(pieces(spec, " a"), " a");
  spec.add_space_prefix = false;
  EXPECT_EQ(pieces(spec, "a</s>a"), "a|</s>|a");
}

TEST(SentencePiece, the_name_of_a_byte_in_text_is_text) {
  EXPECT_EQ(pieces(samples::sentencepiece({"<0x4", "1>", "<", "0", "x", "4", "1", ">", "▁", "<0", "x4"}), "<0x41>"), " |<0x4|1>");
}

TEST(SentencePiece, a_token_that_spans_words_is_found) {
  EXPECT_EQ(pieces(samples::sentencepiece({"a▁b", "a▁", "a", "b", "▁"}), "a b"), " |a b");
  EXPECT_EQ(pieces(samples::sentencepiece({"▁▁", "▁▁▁▁", "▁a", "a", "▁"}), "a     a"), " a|    | a");
}

}  // namespace
}  // namespace qn::text
