#include <gtest/gtest.h>

#include "tokenizer_samples.h"

namespace qn::text {
namespace {

using samples::shown;

struct Sample {
  VocabSpec spec = samples::byte_level({{"t", "h"}, {"th", "e"}}, PreSplit::qwen2);
  AddedToken& add(const std::string& text, bool special) {
    samples::add(spec, text, special);
    return spec.added.back();
  }
  std::string pieces(std::string_view text, Specials specials = Specials::parse) const {
    const auto tokenizer = Tokenizer::make(spec);
    EXPECT_TRUE(tokenizer) << tokenizer.error().message;
    return shown(*tokenizer, tokenizer->encode(text, {.specials = specials}));
  }
};

TEST(AddedTokens, a_special_token_in_text_is_its_id_only_where_asked_for) {
  Sample s;
  s.add("<|end|>", true);
  EXPECT_EQ(s.pieces("a<|end|>b"), "a|<|end|>|b");
  EXPECT_EQ(s.pieces("a<|end|>b", Specials::as_text), "a|<|||e|n|d|||>|b");
}

TEST(AddedTokens, a_token_that_is_not_special_matches_in_any_text) {
  Sample s;
  s.add("<think>", false);
  EXPECT_EQ(s.pieces("a<think>", Specials::as_text), "a|<think>");
}

TEST(AddedTokens, the_longest_of_those_that_begin_together_wins) {
  Sample s;
  s.add("<a", false);
  s.add("<a><b", false);
  s.add("<a>", false);
  EXPECT_EQ(s.pieces("<a><a><b>"), "<a>|<a><b|>");
}

TEST(AddedTokens, the_leftmost_wins_over_a_longer_one) {
  Sample s;
  s.add("xy", false);
  s.add("yzzz", false);
  EXPECT_EQ(s.pieces("xyzzz"), "xy|z|z|z");
}

TEST(AddedTokens, a_special_token_spelled_out_hides_what_is_inside_it) {
  Sample s;
  s.add("<|a|>", true);
  s.add("a", false);
  const auto tokenizer = Tokenizer::make(s.spec);
  ASSERT_TRUE(tokenizer);
  const std::vector<TokenId> ids = tokenizer->encode("<|a|>a", {.specials = Specials::as_text});
  EXPECT_EQ(ids.back(), tokenizer->find("a"));
  EXPECT_EQ(ids[2], static_cast<TokenId>('a'));
}

TEST(AddedTokens, white_space_belongs_to_a_token_that_strips_it) {
  Sample s;
  s.add("<m>", true).strip_left = true;
  s.add("<r>", true).strip_right = true;
  EXPECT_EQ(s.pieces("a \n<m> b<r> \u3000c"), "a|<m>| |b|<r>|c");
}

TEST(AddedTokens, a_single_word_does_not_match_inside_a_word) {
  Sample s;
  s.add("the", false).single_word = true;
  const auto tokenizer = Tokenizer::make(s.spec);
  ASSERT_TRUE(tokenizer);
  const TokenId whole = tokenizer->find("the"), merged = 257;
  EXPECT_EQ(tokenizer->encode("the", {}), std::vector<TokenId>{whole});
  EXPECT_EQ(tokenizer->encode("_the", {}), (std::vector<TokenId>{'_', merged}));
  EXPECT_EQ(tokenizer->encode("the\u00e9", {})[0], merged);
  EXPECT_EQ(tokenizer->encode("(the)", {}), (std::vector<TokenId>{'(', whole, ')'}));
}

TEST(AddedTokens, a_normalized_one_matches_after_normalising) {
  Sample s;
  s.spec.nfc = true;
  s.add("e\u0301t", false).normalized = true;
  s.add("o\u0301k", false);
  const auto tokenizer = Tokenizer::make(s.spec);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("\u00e9t", {}).size(), 1u);
  EXPECT_EQ(tokenizer->encode("e\u0301t", {}).size(), 1u);
  EXPECT_EQ(tokenizer->encode("o\u0301k", {}).size(), 1u);
  EXPECT_GT(tokenizer->encode("\u00f3k", {}).size(), 1u);
}

TEST(AddedTokens, bos_is_added_only_where_asked_for_and_the_vocabulary_agrees) {
  Sample s;
  s.spec.bos = s.add("<s>", true).id;
  EXPECT_TRUE(Tokenizer::make(s.spec)->encode("", {.add_bos = true}).empty());
  s.spec.add_bos = true;
  const auto tokenizer = Tokenizer::make(s.spec);
  EXPECT_EQ(tokenizer->encode("", {.add_bos = true}), std::vector<TokenId>{s.spec.bos});
  EXPECT_TRUE(tokenizer->encode("", {}).empty());
}

TEST(AddedTokens, many_openings_without_a_match_cost_little) {
  Sample s;
  s.add(std::string(500, '<') + "x", false);
  const auto tokenizer = Tokenizer::make(s.spec);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode(std::string(100'000, '<'), {}).size(), 100'000u);
}

TEST(Vocabulary, what_breaks_a_rule_is_an_error_that_names_it) {
  const auto message = [](auto&& change) {
    Sample s;
    s.add("<s>", true);
    change(s);
    const auto tokenizer = Tokenizer::make(s.spec);
    return tokenizer ? std::string("accepted") : tokenizer.error().message;
  };
  EXPECT_EQ(message([](Sample& s) { s.spec.tokens.clear(); }), "vocabulary: no tokens; this file cannot be used for text");
  EXPECT_EQ(message([](Sample& s) { s.spec.types.pop_back(); }), "token types: 258 entries for 259 tokens; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.bos = 259; }), "vocabulary: bos token has id 259, there are 259 tokens; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.end_of_turn = {-7}; }),
            "vocabulary: end-of-turn token has id -7, there are 259 tokens; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.added[0].id = 259; }), "added token '<s>': id 259, there are 259 tokens; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.added.push_back(s.spec.added[0]); }),
            "added token '<s>': there are two of that text; remove one");
  EXPECT_EQ(message([](Sample& s) { s.spec.added[0].text.clear(); }),
            "added token with id 258: 0 bytes of text, from 1 to 1024 accepted; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.added[0].text = "\xff"; }), "added token '\\xff': not UTF-8; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.merges.emplace_back("t", "x"); }),
            "merges[2]: 'tx' is no token of the vocabulary; correct the file");
  EXPECT_EQ(message([](Sample& s) { s.spec.scores = {1}; }), "token scores: 1 entries for 259 tokens; correct the file");
}

}  // namespace
}  // namespace qn::text
