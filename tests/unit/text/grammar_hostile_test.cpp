// Sources that want to be expensive: each ends in a small automaton or in an error, soon, and following it stays cheap.
#include <chrono>

#include "grammar_samples.h"

using namespace qn;
using namespace qn::text;
using namespace qn::text::samples;

namespace {

constexpr auto soon = std::chrono::seconds(5);  // a sanitizer's second is a slow one; the limit of compiling is two

std::string repeated(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

class Timed {
 public:
  ~Timed() { EXPECT_LT(std::chrono::steady_clock::now() - begin_, soon); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void refused(const Result<SharedGrammar>& made, std::string_view part_of_message) {
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().code, Code::internal);
  EXPECT_NE(made.error().message.find(part_of_message), std::string::npos) << made.error().message;
}

TEST(GrammarHostile, deep_nesting_is_refused) {
  const Timed timed;
  refused(from_regex(repeated("(", 100'000)), "nested more than 128 deep");
  refused(from_gbnf("root ::= " + repeated("(", 100'000)), "nested more than 128 deep");
  refused(from_schema(repeated("{\"items\":", 500) + "{}" + repeated("}", 500)), "nested more than 128 deep");
  refused(from_schema(repeated("{\"allOf\":[", 200) + "{}" + repeated("]}", 200)), "lead more than 128 deep");
  refused(from_schema(repeated("{\"anyOf\":[", 200) + "{}" + repeated("]}", 200)), "nested more than 128 deep");
}

TEST(GrammarHostile, large_sources_are_refused_or_compile_soon) {
  const Timed timed;
  refused(from_regex(std::string((1U << 20) + 1, 'a')), "bytes, at most");
  refused(from_gbnf(std::string((1U << 20) + 1, '#')), "bytes, at most");
  refused(from_regex(std::string(300'000, 'a')), "automaton states");
  std::string rules = "root ::= r0\n";
  for (int i = 0; i < 20'000; ++i) rules += "r" + std::to_string(i) + " ::= \"a\" r" + std::to_string(i + 1) + "\n";
  must(from_gbnf(rules + "r20000 ::= \"b\"\n"));
}

TEST(GrammarHostile, nested_repetitions_do_not_multiply) {
  const Timed timed;
  const SharedGrammar grammar = must(from_regex("((((a{1000}){1000}){1000}){1000})"));
  EXPECT_LT(grammar->states(), 100);
  const SharedGrammar schema = must(from_schema(
      R"({"type": "array", "maxItems": 10000, "items": {"type": "array", "minItems": 5000, "maxItems": 10000, "items": {"type": "string", "maxLength": 9999}}})"));
  EXPECT_LT(schema->states(), 1000);
  refused(from_regex("a{10001}"), "10001 repetitions, at most 10000");
  refused(from_gbnf("root ::= \"a\"{99999999999999999999}"), "repetitions, at most 10000");
  refused(from_schema(R"({"type": "array", "maxItems": 1000000000000, "items": {}})"), "repetitions, at most 10000");
}

TEST(GrammarHostile, time_and_reading_are_bounded) {
  const Timed timed;
  GrammarLimits brief;
  brief.time = std::chrono::milliseconds(200);
  refused(from_regex(repeated("(a?){10000}", 20'000), brief), "took longer than 200 ms");
  std::string definitions;
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    definitions += "\"d" + std::to_string(i) + R"(":{"allOf":[)" + next + "," + next + "]},";
  }
  refused(from_schema(R"({"$defs":{)" + definitions + R"("d40":{"type":"null"}},"$ref":"#/$defs/d0"})"), "schemas; use fewer");
}

TEST(GrammarHostile, subsets_do_not_explode) {
  const Timed timed;
  const SharedGrammar grammar = must(from_regex("(a|b)*a(a|b){40}"));
  EXPECT_LT(grammar->states(), 20'000);
  EXPECT_TRUE(matches(*grammar, "bba" + std::string(40, 'b')));
  EXPECT_FALSE(matches(*grammar, "bbb" + std::string(40, 'b')));
}

TEST(GrammarHostile, ambiguous_grammars_are_followed_in_little_memory) {
  const Timed timed;
  for (const std::string_view pattern : {"(a*)*b", "(a|aa)+b", "(a|a|a|a)*b", "((a{1,50}){1,50})b", "(a?){30}a{30}b"}) {
    const SharedGrammar grammar = must(from_regex(pattern));
    grammar::StateTable table(grammar->automaton());
    grammar::StateIndex state = table.start();
    for (int i = 0; i < 60; ++i) state = table.step(state, 'a');
    EXPECT_TRUE(table.may_end(table.step(state, 'b'))) << pattern;
    EXPECT_LT(table.bytes(), 4U << 20) << pattern;
  }
  const SharedGrammar both = must(from_gbnf("root ::= root root | root root root | \"a\""));
  EXPECT_TRUE(matches(*both, std::string(300, 'a')));
}

TEST(GrammarHostile, what_takes_too_much_memory_to_follow_ends_the_reply) {
  const Timed timed;
  // Every place may be the middle of a palindrome of any length: one more reading for each letter.
  const SharedGrammar grammar =
      must(from_gbnf("root ::= p*\np ::= \"a\" p \"a\" | \"b\" p \"b\" | \"a\" | \"b\" | \"a\" p \"b\" | \"b\" p \"a\""));
  const Tokenizer tokenizer = tokenizer_of({});
  TokenMatcher matcher(grammar, TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  for (int i = 0; i < 5'000 && !matcher.gave_up(); ++i) matcher.advance_bytes(i * i % 7 < 3 ? "a" : "b");
  ASSERT_TRUE(matcher.gave_up());
  for (const TokenId token : set_bits(matcher.allowed())) EXPECT_TRUE(tokenizer.ends_reply(token));
  EXPECT_TRUE(matcher.must_end());
}

TEST(GrammarHostile, long_replies_in_deep_structures_keep_to_their_memory) {
  const Timed timed;
  const SharedGrammar grammar = must(from_schema("{}"));
  const Tokenizer tokenizer = tokenizer_of({});
  TokenMatcher matcher(grammar, TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  ASSERT_TRUE(matcher.advance_bytes(std::string(20'000, '[')));
  ASSERT_TRUE(matcher.advance_bytes("1"));
  ASSERT_TRUE(matcher.advance_bytes(std::string(20'000, ']')));
  EXPECT_TRUE(matcher.must_end());
}

TEST(GrammarHostile, wide_schemas_compile_soon) {
  const Timed timed;
  std::string properties, names;
  for (int i = 0; i < 5000; ++i) properties += (i > 0 ? ",\"p" : "\"p") + std::to_string(i) + "\":{\"type\":\"string\"}";
  EXPECT_TRUE(from_schema("{\"type\":\"object\",\"properties\":{" + properties + "}}").has_value());
  for (int i = 0; i < 20'000; ++i) names += (i > 0 ? ",\"value number " : "\"value number ") + std::to_string(i * 7919 % 100'003) + "\"";
  const auto choice = from_schema("{\"enum\":[" + names + "]}");
  EXPECT_TRUE(choice.has_value()) << choice.error().message;
}

TEST(GrammarHostile, combinations_of_alternatives_are_bounded) {
  const Timed timed;
  std::string all;
  for (int i = 0; i < 20; ++i) all += (i > 0 ? "," : "") + std::string(R"({"anyOf":[{"minimum":1},{"maximum":2},{"minLength":3}]})");
  refused(from_schema("{\"allOf\":[" + all + "]}"), "combinations of alternatives");
}

}  // namespace
