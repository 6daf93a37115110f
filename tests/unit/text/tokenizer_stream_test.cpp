#include <gtest/gtest.h>

#include "tokenizer_samples.h"

namespace qn::text {
namespace {

Tokenizer made(VocabSpec spec) {
  auto tokenizer = Tokenizer::make(std::move(spec));
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return *std::move(tokenizer);
}

Tokenizer byte_level() {
  VocabSpec spec =
      samples::byte_level({{"\xe4", "\xbd"}, {"\xa0", " "}, {"\xf0", "\x9f"}, {"\xf0\x9f", "\x98"}, {"a", "\xc3"}, {"\xa9", "\xff"}});
  samples::add(spec, "<|end|>", true);
  samples::add(spec, "<caf\u00e9>", false);
  return made(spec);
}

Tokenizer sentencepiece() {
  return made(samples::sentencepiece({"▁", "h", "i", "▁h", "▁hi", "▁▁", "é"}));
}

TEST(StreamDecoder, half_a_character_is_held_back) {
  const Tokenizer tokenizer = byte_level();
  StreamDecoder decoder(tokenizer, false);
  EXPECT_EQ(decoder.push(0xE4), "");
  EXPECT_EQ(decoder.push(0xBD), "");
  EXPECT_EQ(decoder.push(0xA0), "你");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, a_character_that_never_ends_is_replaced_once_that_is_known) {
  const Tokenizer tokenizer = byte_level();
  StreamDecoder decoder(tokenizer, false);
  EXPECT_EQ(decoder.push(0xE4), "");
  EXPECT_EQ(decoder.push('x'), "\ufffdx");
  EXPECT_EQ(decoder.push(0xF0), "");
  EXPECT_EQ(decoder.finish(), "\ufffd");
}

TEST(StreamDecoder, special_tokens_are_shown_only_where_asked_for) {
  const Tokenizer tokenizer = byte_level();
  const TokenId end = tokenizer.find("<|end|>");
  EXPECT_EQ(StreamDecoder(tokenizer, false).push(end), "");
  EXPECT_EQ(StreamDecoder(tokenizer, true).push(end), "<|end|>");
  EXPECT_EQ(tokenizer.bytes_of(end), "");
  EXPECT_EQ(tokenizer.special_text(end), "<|end|>");
}

TEST(StreamDecoder, one_special_token_may_be_spelled_out_and_others_not) {
  VocabSpec spec = samples::byte_level({});
  const TokenId end = samples::add(spec, "<|end|>", true), call = samples::add(spec, "[CALL]", true);
  const Tokenizer tokenizer = made(std::move(spec));
  StreamDecoder decoder(tokenizer, std::vector<TokenId>{call});
  EXPECT_EQ(decoder.push(call), "[CALL]");
  EXPECT_EQ(decoder.push('a'), "a");
  EXPECT_EQ(decoder.push(end), "");
}

TEST(StreamDecoder, an_added_token_reads_as_it_is_written) {
  const Tokenizer tokenizer = byte_level();
  EXPECT_EQ(StreamDecoder(tokenizer, false).push(tokenizer.find("<caf\u00e9>")), "<caf\u00e9>");
}

TEST(StreamDecoder, ids_outside_the_vocabulary_say_nothing) {
  const Tokenizer tokenizer = byte_level();
  EXPECT_EQ(tokenizer.decode(std::vector<TokenId>{-1, 'a', 100'000, 'b'}, true), "ab");
}

TEST(StreamDecoder, sentencepiece_loses_the_space_it_put_before_the_text) {
  const Tokenizer tokenizer = sentencepiece();
  const std::vector<TokenId> ids = tokenizer.encode("hi hi", {.add_bos = true});
  EXPECT_EQ(samples::shown(tokenizer, ids), "<s>| hi| hi");
  EXPECT_EQ(tokenizer.decode(ids, false), "hi hi");
  EXPECT_EQ(tokenizer.decode(ids, true), "<s> hi hi");
}

// Cuts by push, joins, and compares with the whole; and no part may be broken UTF-8.
void expect_parts_make_the_whole(const Tokenizer& tokenizer, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::vector<TokenId> ids(random() % 20);
    for (TokenId& id : ids) id = static_cast<TokenId>(random() % static_cast<std::uint64_t>(tokenizer.vocab_size() + 1));
    for (const bool with_specials : {false, true}) {
      StreamDecoder decoder(tokenizer, with_specials);
      std::string joined, bytes;
      for (const TokenId id : ids) {
        const std::string part = decoder.push(id);
        ASSERT_TRUE(utf8::is_valid(part));
        joined += part;
        bytes += with_specials && tokenizer.is_special(id) ? tokenizer.special_text(id) : tokenizer.bytes_of(id);
      }
      joined += decoder.finish();
      ASSERT_EQ(joined, tokenizer.decode(ids, with_specials));
      const bool drops_space = tokenizer.spec().kind == VocabKind::sentencepiece_bpe && bytes.starts_with(' ');
      ASSERT_EQ(joined, utf8::replace_invalid(std::string_view(bytes).substr(drops_space ? 1 : 0)));
    }
  }
}

TEST(StreamDecoder, the_parts_of_random_byte_level_ids_make_the_whole) {
  expect_parts_make_the_whole(byte_level(), 7);
}
TEST(StreamDecoder, the_parts_of_random_sentencepiece_ids_make_the_whole) {
  expect_parts_make_the_whole(sentencepiece(), 8);
}

}  // namespace
}  // namespace qn::text
