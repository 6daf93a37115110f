#include <gtest/gtest.h>

#include "text/tokenizer/pre_split.h"
#include "tokenizer_samples.h"

namespace qn::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces pieces_by_hand(PreSplit family, std::string_view text) {
  const auto splitter = Splitter::make(patterns_of(family));
  EXPECT_TRUE(splitter && !splitter->uses_pcre());
  Pieces pieces;
  PcreBudget budget(text.size());
  splitter->split(text, budget, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

// The slow twin: each pattern by PCRE2, one after the other.
Pieces pieces_by_pcre(const std::vector<std::string>& patterns, std::string_view text) {
  Pieces pieces{std::string(text)};
  PcreBudget budget(text.size());
  for (const std::string& source : patterns) {
    const auto pattern = PcrePattern::make(source);
    EXPECT_TRUE(pattern) << pattern.error().message;
    Pieces next;
    for (const std::string& piece : pieces) {
      PcreMatches matches(**pattern, piece, budget);
      std::size_t at = 0;
      for (std::size_t begin, end; matches.next(begin, end); at = end) {
        if (begin > at) next.push_back(piece.substr(at, begin - at));
        if (end > begin) next.push_back(piece.substr(begin, end - begin));
      }
      if (at < piece.size()) next.push_back(piece.substr(at));
    }
    pieces = std::move(next);
  }
  return pieces;
}

class SplitPattern : public ::testing::TestWithParam<PreSplit> {};

TEST_P(SplitPattern, by_hand_cuts_random_text_as_pcre2_does) {
  const std::vector<std::string> patterns = patterns_of(GetParam());
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    const std::string text = samples::random_text(random, 1 + random() % 25);
    ASSERT_EQ(pieces_by_hand(GetParam(), text), pieces_by_pcre(patterns, text)) << "round " << round << ": " << quoted(text, 400);
  }
}

TEST_P(SplitPattern, by_hand_cuts_corner_cases_as_pcre2_does) {
  const std::vector<std::string> patterns = patterns_of(GetParam());
  for (const std::string_view text : {"",           " ",          "  ",           "   x",
                                      "x   ",       "\n",         "\r\n",         " \n ",
                                      " \n x",      "\n\n  \n x", "\t\tx",        " \tx",
                                      "a\r\n\r\nb", "'",          "''",           "'s",
                                      "'S's",       "'\u017fx",   "'ll'LL'lL",    "'r",
                                      "'re",        " 're",       "x'rex",        "1",
                                      "12",         "123",        "1234",         "1 2",
                                      "x1y",        "!",          "!!x",          "!\n\n",
                                      " !\n",       "! x",        "\u00a0x",      "\u00a0\u00a0x",
                                      "\u3000。x",  "x\u3000",    "中文abc中",    "あア中x",
                                      "한글",       "\u0301x",    "x\u0301",      " \u0301",
                                      "1\u0301",    "\x01x",      "\x01\x01x",    "x\u200dy",
                                      "😀😀 😀",       "a\u2028b",   "\u2028",       "!a",
                                      "!a1",        "._a",        "\u00aa\u00ba", "\u00b2\u00bd",
                                      "Ⅷ①",         "ǅ",          "ʕʔ",           "aʔb",
                                      "_x_",        " _",         "9'9",          "\u0085x",
                                      "\u200b x"})
    EXPECT_EQ(pieces_by_hand(GetParam(), text), pieces_by_pcre(patterns, text)) << quoted(text, 100);
}

TEST_P(SplitPattern, pieces_in_order_are_the_text) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 300; ++round) {
    const std::string text = samples::random_text(random, 200);
    std::string joined;
    for (const std::string& piece : pieces_by_hand(GetParam(), text)) {
      EXPECT_FALSE(piece.empty());
      joined += piece;
    }
    ASSERT_EQ(joined, text);
  }
}

TEST_P(SplitPattern, is_recognised_with_escapes_and_with_line_breaks_themselves) {
  std::vector<std::string> patterns = patterns_of(GetParam());
  EXPECT_EQ(family_of(patterns), GetParam());
  for (std::string& pattern : patterns) {
    for (std::size_t at; (at = pattern.find("\\r\\n")) != std::string::npos;) pattern.replace(at, 4, "\r\n");
  }
  EXPECT_EQ(family_of(patterns), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Families, SplitPattern,
                         ::testing::Values(PreSplit::gpt2, PreSplit::qwen2, PreSplit::llama3, PreSplit::deepseek_llm,
                                           PreSplit::deepseek_coder, PreSplit::deepseek_v3));

TEST(SplitPattern, qwen_cuts_numbers_into_digits_and_llama_into_threes) {
  EXPECT_EQ(pieces_by_hand(PreSplit::qwen2, "in 2026"), (Pieces{"in", " ", "2", "0", "2", "6"}));
  EXPECT_EQ(pieces_by_hand(PreSplit::llama3, "in 2026"), (Pieces{"in", " ", "202", "6"}));
}

TEST(SplitPattern, the_last_space_of_a_run_goes_with_the_word) {
  EXPECT_EQ(pieces_by_hand(PreSplit::qwen2, "a    b  "), (Pieces{"a", "   ", " b", "  "}));
}

TEST(SplitPattern, letters_younger_than_the_unicode_of_libraries_are_letters) {
  EXPECT_EQ(pieces_by_hand(PreSplit::qwen2, "\U000105C0\U000105C1 \U0001E5D0"), (Pieces{"\U000105C0\U000105C1", " \U0001E5D0"}));
}

TEST(PcrePattern, an_unknown_pattern_cuts_text) {
  const auto splitter = Splitter::make({"[aeiou]+", "x"});
  ASSERT_TRUE(splitter);
  EXPECT_TRUE(splitter->uses_pcre());
  Pieces pieces;
  PcreBudget budget(100);
  splitter->split("xxauby", budget, [&](std::string_view piece) { pieces.emplace_back(piece); });
  EXPECT_EQ(pieces, (Pieces{"x", "x", "au", "by"}));
}

TEST(PcrePattern, an_empty_match_cuts_where_it_stands) {
  EXPECT_EQ(pieces_by_pcre({"(?=b)"}, "abéb"), (Pieces{"a", "bé", "b"}));
}

TEST(PcrePattern, a_broken_pattern_is_an_error_that_quotes_it) {
  const auto splitter = Splitter::make({"a(b"});
  ASSERT_FALSE(splitter);
  EXPECT_EQ(splitter.error().code, Code::bad_input);
  EXPECT_NE(splitter.error().message.find("a(b"), std::string::npos) << splitter.error().message;
}

TEST(PcrePattern, a_hostile_pattern_does_not_hang) {
  for (const char* pattern : {"(a+)+$b", "(a|aa)+c", "(?:a*)*b", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$", "(?R)?a", "a++b|(a|a)*c"}) {
    const auto splitter = Splitter::make({pattern});
    if (!splitter) continue;
    for (const std::string& text : {std::string(100'000, 'a'), std::string(300, 'a') + "\n", std::string(30, 'a') + "!"}) {
      std::string joined;
      PcreBudget budget(text.size());
      splitter->split(text, budget, [&](std::string_view piece) { joined += piece; });
      EXPECT_EQ(joined, text);
    }
  }
}

TEST(PcrePattern, the_budget_is_shared_by_all_pieces) {
  const auto splitter = Splitter::make({"[^,]+", "(a+)+b"});
  ASSERT_TRUE(splitter);
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::string(28, 'a') + ',';
  PcreBudget budget(text.size());
  std::string joined;
  splitter->split(text, budget, [&](std::string_view piece) { joined += piece; });
  EXPECT_EQ(joined, text);
}

}  // namespace
}  // namespace qn::text
