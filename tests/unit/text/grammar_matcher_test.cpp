// Masks, forced tokens, ends, control tokens, and the parts that chat dialects build with.
#include "grammar_samples.h"
#include "text/grammar/mask_cache.h"

using namespace qn;
using namespace qn::text;
using namespace qn::text::samples;

namespace {

SharedGrammar built(GrammarBuilder& builder, RuleId root) {
  return must(builder.finish(root));
}

TEST(TokenMatcher, tokens_that_end_a_reply_are_allowed_exactly_where_the_grammar_may_end) {
  const Tokenizer tokenizer = tokenizer_of({"ab", "abab"});
  TokenMatcher matcher(must(from_regex("(ab){1,2}")), TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  const TokenId end = tokenizer.find("<|end|>"), stop = tokenizer.find("<|stop|>");
  EXPECT_FALSE(is_set(matcher.allowed(), end));
  EXPECT_FALSE(matcher.advance(end));
  ASSERT_TRUE(matcher.advance_bytes("ab"));
  EXPECT_TRUE(is_set(matcher.allowed(), end) && is_set(matcher.allowed(), stop));
  EXPECT_TRUE(matcher.may_end() && !matcher.must_end());
  ASSERT_TRUE(matcher.advance_bytes("ab"));
  EXPECT_TRUE(matcher.must_end());
  EXPECT_EQ(set_bits(matcher.allowed()), (std::vector{end, stop}));
  EXPECT_TRUE(matcher.advance(stop));
  EXPECT_TRUE(matcher.ended());
  EXPECT_FALSE(matcher.advance(stop));
}

TEST(TokenMatcher, a_token_that_is_not_allowed_changes_nothing) {
  const Tokenizer tokenizer = tokenizer_of({"ab"});
  TokenMatcher matcher(must(from_regex("abc")), TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  EXPECT_FALSE(matcher.advance('b'));
  EXPECT_FALSE(matcher.advance(-1));
  EXPECT_FALSE(matcher.advance(1'000'000));
  EXPECT_FALSE(matcher.advance_bytes("abd"));
  EXPECT_TRUE(matcher.advance_bytes("abc"));
}

TEST(TokenMatcher, a_mask_has_a_bit_for_every_row_of_the_model) {
  const Tokenizer tokenizer = tokenizer_of({});
  TokenMatcher matcher(must(from_regex(".*")), TokenVocabulary::make(tokenizer, 1000));
  const auto mask = matcher.allowed();
  EXPECT_EQ(mask.size(), (1000U + 63) / 64);
  for (TokenId token = tokenizer.vocab_size(); token < 1000; ++token) EXPECT_FALSE(is_set(mask, token));
}

TEST(TokenMatcher, control_tokens_are_never_text) {
  const Tokenizer tokenizer = tokenizer_of({});
  TokenMatcher matcher(must(from_regex("(.|\\n)*")), TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  EXPECT_FALSE(is_set(matcher.allowed(), tokenizer.find("[CALL]")));
  EXPECT_TRUE(is_set(matcher.allowed(), tokenizer.find("<tool_call>")));
}

TEST(TokenMatcher, special_asks_for_the_control_token_and_for_nothing_else) {
  const Tokenizer tokenizer = tokenizer_of({"[CALL]"});
  GrammarBuilder builder;
  TokenMatcher matcher(built(builder, builder.sequence({builder.literal("x"), builder.special("[CALL]"), builder.literal("{}")})),
                       TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  ASSERT_TRUE(matcher.advance_bytes("x"));
  const TokenId call = tokenizer.find("[CALL]");
  EXPECT_EQ(set_bits(matcher.allowed()), std::vector{call});
  EXPECT_EQ(matcher.forced(), std::vector{call});
  ASSERT_TRUE(matcher.advance(call));
  EXPECT_TRUE(matcher.advance_bytes("{}") && matcher.must_end());
}

TEST(TokenMatcher, forced_tokens_are_the_tokenizers_less_one_that_could_grow) {
  const Tokenizer tokenizer = tokenizer_of({"{\"name\": \"", "{\"name\": \"A", " \"A", "\"}"});
  const auto vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  GrammarBuilder builder;
  TokenMatcher matcher(
      built(builder, builder.sequence({builder.literal("<a>{\"name\": \""),
                                       builder.choice({builder.literal("Ada"), builder.literal("Bob")}), builder.literal("\"}")})),
      vocabulary);
  const std::vector<TokenId> first = matcher.forced();
  EXPECT_EQ(shown(tokenizer, first), "<|a|>");  // `{"name": "` may become `{"name": "A`
  for (const TokenId token : first) ASSERT_TRUE(matcher.advance(token));
  EXPECT_TRUE(matcher.forced().empty());
  ASSERT_TRUE(matcher.advance_bytes("{\"name\": \"A"));
  EXPECT_EQ(shown(tokenizer, matcher.forced()), "d|a|\"}");  // nothing follows: all of them
  EXPECT_TRUE(is_set(matcher.allowed(), 'd'));
}

TEST(TokenMatcher, nothing_is_forced_where_there_is_a_choice_or_the_text_may_end) {
  const Tokenizer tokenizer = tokenizer_of({});
  const auto vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  EXPECT_TRUE(TokenMatcher(must(from_regex("ab|c")), vocabulary).forced().empty());
  EXPECT_TRUE(TokenMatcher(must(from_regex("(ab)?")), vocabulary).forced().empty());
  EXPECT_EQ(TokenMatcher(must(from_regex("abc?")), vocabulary).forced().size(), 1U);
}

TEST(TokenMatcher, text_until_a_literal_never_contains_it) {
  GrammarBuilder builder;
  const SharedGrammar grammar =
      built(builder, builder.sequence({builder.until({"</p>", "<b>"}), builder.choice({builder.literal("</p>"), builder.literal("<b>")})}));
  for (const std::string_view text : {"</p>", "a<b>", "a < / p </ p><</p>", "\xFE\x80</p>", "<<</</b</p>"})
    EXPECT_TRUE(matches(*grammar, text)) << text;
  for (const std::string_view text : {"", "a", "</p></p>", "<b>x</p>", "a</p>b"}) EXPECT_FALSE(matches(*grammar, text)) << text;
}

TEST(TokenMatcher, a_grammar_may_begin_late) {
  const Tokenizer tokenizer = tokenizer_of({"hello"});
  GrammarBuilder builder;
  const RuleId call = builder.sequence({builder.literal("<tool_call>"), builder.json_object(), builder.literal("</tool_call>")});
  const RuleId text = builder.until({"<tool_call>"});
  const SharedGrammar grammar = built(builder, builder.sequence({builder.repeat(builder.sequence({text, call}), 0), text}));
  TokenMatcher matcher(grammar, TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  EXPECT_TRUE(is_set(matcher.allowed(), tokenizer.find("<tool_call>")) && is_set(matcher.allowed(), tokenizer.find("<|end|>")));
  ASSERT_TRUE(matcher.advance_bytes("hello <tool_x> <tool_call>"));
  EXPECT_EQ(shown(tokenizer, set_bits(matcher.allowed())), "{");
  EXPECT_FALSE(matcher.may_end());
  ASSERT_TRUE(matcher.advance_bytes("{\"a\":1}</tool_call> and"));
  EXPECT_TRUE(matcher.may_end());
}

TEST(TokenMatcher, masks_are_shared_and_bounded) {
  const Tokenizer tokenizer = tokenizer_of({"abc"});
  const auto vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size(), 20'000);
  for (int i = 0; i < 300; ++i) {
    TokenMatcher matcher(must(from_regex("abc" + std::to_string(i) + "x*")), vocabulary);
    for (const char byte : "abc" + std::to_string(i)) {
      matcher.allowed();
      ASSERT_TRUE(matcher.advance_bytes({&byte, 1}));
    }
    EXPECT_LE(vocabulary->masks().bytes(), 20'000U);
  }
  const auto roomy = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  TokenMatcher(must(from_schema(R"({"type": "string"})")), roomy).allowed();
  const std::size_t once = roomy->masks().bytes();
  TokenMatcher(must(from_schema(R"({"type": "string"})")), roomy).allowed();
  EXPECT_EQ(roomy->masks().bytes(), once);
}

TEST(TokenMatcher, near_its_bounds_a_loop_allows_no_token_that_takes_too_many_turns_or_too_few) {
  const Tokenizer tokenizer = tokenizer_of({"aaaaab", "ab", "aab", "bb"});
  const auto vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  for (const int least : {0, 27}) {
    GrammarBuilder builder;
    const RuleId loop = builder.declare("loop");  // a rule of its own: what follows is its caller's
    builder.define(loop, builder.repeat(builder.literal("a"), least, 30));
    const SharedGrammar grammar = built(builder, builder.sequence({loop, builder.literal("b")}));
    TokenMatcher matcher(grammar, vocabulary);
    std::string text;
    for (int count = 0; count <= 30; ++count, text += 'a') {
      EXPECT_EQ(set_bits(matcher.allowed()), allowed_by_bytes(*grammar, tokenizer, text)) << "at least " << least << ", after " << count;
      EXPECT_EQ(matcher.advance_bytes("a"), count < 30);
    }
  }
}

TEST(TokenMatcher, prepared_masks_are_those_that_are_computed_later) {
  const Tokenizer tokenizer = tokenizer_of({"\"a\":", "abc", "\",\""});
  const SharedGrammar grammar = must(from_schema(
      R"({"type": "object", "properties": {"a": {"type": "string", "minLength": 2, "maxLength": 5}, "b": {"type": "integer"}}, "required": ["b"]})"));
  const auto prepared = TokenVocabulary::make(tokenizer, tokenizer.vocab_size()),
             fresh = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  prepared->prepare(*grammar, std::chrono::seconds(5));
  TokenMatcher one(grammar, prepared), other(grammar, fresh);
  for (const char byte : std::string_view(R"({"a": "xyz","b":17})")) {
    EXPECT_EQ(set_bits(one.allowed()), set_bits(other.allowed()));
    ASSERT_TRUE(one.advance_bytes({&byte, 1}) && other.advance_bytes({&byte, 1}));
  }
}

TEST(GrammarBuilder, the_first_fault_sticks) {
  GrammarBuilder builder;
  const RuleId many = builder.repeat(builder.literal("a"), 0, 20'000);
  builder.repeat(builder.literal("b"), 5, 2);
  const auto made = builder.finish(builder.sequence({many, builder.any_json()}));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Code::too_large);
  EXPECT_NE(made.error().message.find("20000 repetitions, at most 10000"), std::string::npos);
}

TEST(GrammarBuilder, what_is_declared_must_be_defined) {
  GrammarBuilder builder;
  const auto made = builder.finish(builder.declare("arguments"));
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().message.find("rule 'arguments' is used but not defined"), std::string::npos);
}

}  // namespace
