#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "tokenizer_samples.h"

namespace qn::text {
namespace {

using samples::byte_level;
using samples::MergeList;
using samples::shown;

Tokenizer made(VocabSpec spec) {
  auto tokenizer = Tokenizer::make(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return *std::move(tokenizer);
}

std::string pieces(const Tokenizer& tokenizer, std::string_view text) {
  return shown(tokenizer, tokenizer.encode(text, {}));
}

// The slow twin: look through all neighbours, merge the best, begin again.
std::vector<std::string> merge_slowly(const MergeList& merges, std::string_view text) {
  std::map<std::pair<std::string, std::string>, std::size_t> ranks;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) ranks[merges[rank]] = rank;
  std::vector<std::string> symbols;
  for (const char c : text) symbols.emplace_back(1, c);
  for (;;) {
    std::size_t best = symbols.size(), best_rank = merges.size();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = ranks.find({symbols[i], symbols[i + 1]});
      if (found != ranks.end() && found->second < best_rank) best = i, best_rank = found->second;
    }
    if (best == symbols.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(Bpe, the_lowest_rank_merges_first_wherever_it_stands) {
  const Tokenizer tokenizer = made(byte_level({{"b", "c"}, {"a", "b"}, {"a", "bc"}}));
  EXPECT_EQ(pieces(tokenizer, "abc"), "abc");
  EXPECT_EQ(pieces(tokenizer, "abd"), "ab|d");
}

TEST(Bpe, of_equal_pairs_the_leftmost_merges_first) {
  EXPECT_EQ(pieces(made(byte_level({{"a", "a"}})), "aaaaa"), "aa|aa|a");
}

TEST(Bpe, a_token_that_its_own_merges_do_not_reach_is_not_made) {
  VocabSpec spec = byte_level({{"a", "b"}});
  spec.tokens.push_back("abc");
  spec.types.push_back(TokenType::normal);
  const Tokenizer tokenizer = made(spec);
  EXPECT_EQ(pieces(tokenizer, "abc"), "ab|c");
  EXPECT_EQ(pieces(tokenizer, "abc"), "ab|c");  // and remembering that changes nothing
  spec.ignore_merges = true;
  EXPECT_EQ(pieces(made(spec), "abc"), "abc");
}

TEST(Bpe, any_text_over_any_merges_comes_out_as_by_the_slow_twin) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> tokens = {"a", "b", "c"};
    MergeList merges;
    for (int i = 0; i < 40; ++i) {
      const std::string left = tokens[random() % tokens.size()], right = tokens[random() % tokens.size()];
      if (std::find(merges.begin(), merges.end(), std::pair(left, right)) != merges.end()) continue;
      merges.emplace_back(left, right);
      tokens.push_back(left + right);
    }
    std::shuffle(merges.begin(), merges.end(), random);  // ranks need not follow from how tokens are made
    const Tokenizer tokenizer = made(byte_level(merges));
    for (const std::size_t length : {1, 2, 7, 39, 40, 41, 42, 200}) {
      std::string text;
      for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + random() % 3);
      std::string expected;
      for (const std::string& symbol : merge_slowly(merges, text)) expected += (expected.empty() ? "" : "|") + symbol;
      ASSERT_EQ(pieces(tokenizer, text), expected) << "round " << round << ", " << length << " letters";
    }
  }
}

TEST(Bpe, bytes_without_a_token_are_left_out) {
  VocabSpec spec;
  spec.pre_split = PreSplit::none;
  spec.tokens = {"a", "b"};
  EXPECT_EQ(made(spec).encode("a?b!", {}), (std::vector<TokenId>{0, 1}));
}

TEST(Bpe, decoding_gives_the_text_back) {
  const Tokenizer tokenizer = made(byte_level({{"h", "e"}, {"l", "l"}, {"he", "ll"}, {" ", "w"}}, PreSplit::qwen2));
  std::mt19937_64 random(6);
  for (int round = 0; round < 500; ++round) {
    const std::string text = samples::random_text(random, 40) + "hello world";
    ASSERT_EQ(tokenizer.decode(tokenizer.encode(text, {}), false), text);
  }
}

TEST(Bpe, invalid_utf8_becomes_the_replacement_character_first) {
  const Tokenizer tokenizer = made(byte_level({}));
  for (const std::string_view text : {"a\xff", "\xe4\xb8", "\xc0\x80x", "\xed\xa0\x80", "ok\xf0\x9f\x98"})
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, {}), false), utf8::replace_invalid(text)) << quoted(text);
}

TEST(Bpe, threads_share_a_tokenizer) {
  const Tokenizer tokenizer = made(byte_level({{"a", "b"}, {"ab", "c"}, {"b", "c"}}, PreSplit::gpt2));
  const std::string text = "abc ab bc abcabc cab";
  const std::vector<TokenId> expected = made(byte_level({{"a", "b"}, {"ab", "c"}, {"b", "c"}}, PreSplit::gpt2)).encode(text, {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(tokenizer.encode(text, {}), expected);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace qn::text
