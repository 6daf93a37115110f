#include <gtest/gtest.h>

#include <random>

#include "text/chat/call_grammar.h"
#include "text/grammar/token_matcher.h"
#include "unit/text/chat_samples.h"
#include "unit/text/tokenizer_samples.h"

namespace qn::text {
namespace {

const std::vector<std::string_view> all_marks = {hermes_marks,      coder_marks,       llama3_marks,      mistral_marks,
                                                 mistral_v11_marks, deepseek_v3_marks, deepseek_v31_marks};

bool no_control(std::string_view) {
  return false;
}

Result<SharedGrammar> grammar_of(const Dialect& dialect, const ReplyForm& form) {
  GrammarBuilder builder;
  const auto root = add_tool_call_rules(builder, dialect, form, no_control);
  if (!root) return tl::unexpected<Error>(root.error());
  return builder.finish(*root);
}

Tokenizer bytes_only() {
  return *Tokenizer::make(samples::byte_level({}));
}

ReplyForm form_of(ToolChoice::Kind kind, Calls calls = Calls::many) {
  return {.tools = sample_tools(), .choice = {kind, kind == ToolChoice::Kind::named ? "get_time" : ""}, .calls = calls};
}

// "whole", "part" or the place where the reply leaves the grammar.
std::string fits(std::string_view marks, const ReplyForm& form, std::string_view reply) {
  const auto grammar = grammar_of(dialect_of(marks), form);
  if (!grammar) return grammar.error().message;
  const Tokenizer tokenizer = bytes_only();
  TokenMatcher matcher(*grammar, TokenVocabulary::make(tokenizer, tokenizer.vocab_size()));
  for (std::size_t at = 0; at < reply.size(); ++at)
    if (!matcher.advance_bytes(reply.substr(at, 1))) return "leaves at " + std::string(reply.substr(at));
  return matcher.may_end() ? "whole" : "part";
}

TEST(CallGrammar, a_required_call_is_a_call_from_the_first_byte) {
  const ReplyForm required = form_of(ToolChoice::Kind::required);
  EXPECT_EQ(fits(hermes_marks, required, "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"),
            "whole");
  EXPECT_EQ(fits(hermes_marks, required, "Sure"), "leaves at Sure");
  EXPECT_EQ(fits(hermes_marks, required, ""), "part");
  EXPECT_EQ(fits(hermes_marks, required, "<tool_call>\n{\"name\": \"rm"), "leaves at rm");
  EXPECT_EQ(fits(hermes_marks, required, "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": 5"), "leaves at 5");
}

TEST(CallGrammar, a_named_call_is_of_that_function) {
  EXPECT_EQ(fits(hermes_marks, form_of(ToolChoice::Kind::named), "<tool_call>\n{\"name\": \"get_w"), "leaves at w");
  const ReplyForm nobody{.tools = sample_tools(), .choice = {ToolChoice::Kind::named, "rm"}};
  EXPECT_EQ(fits(hermes_marks, nobody, ""), "tool_choice: there is no tool 'rm'; name one of tools");
}

TEST(CallGrammar, the_model_decides_until_it_writes_the_mark) {
  const ReplyForm automatic = form_of(ToolChoice::Kind::automatic);
  EXPECT_EQ(fits(hermes_marks, automatic, "Just <tool text."), "whole");
  EXPECT_EQ(fits(hermes_marks, automatic, "Look:\n<tool_call>"), "part");
  EXPECT_EQ(fits(hermes_marks, automatic, "Look:\n<tool_call> hm"), "leaves at  hm");
  EXPECT_EQ(fits(llama3_marks, automatic, "{\"answer\": 5}"), "whole");
}

TEST(CallGrammar, parallel_calls_can_be_refused) {
  const std::string call = "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>";
  EXPECT_EQ(fits(hermes_marks, form_of(ToolChoice::Kind::required), call + "\n" + call), "whole");
  EXPECT_EQ(fits(hermes_marks, form_of(ToolChoice::Kind::required, Calls::one), call + "\n" + call), "leaves at \n" + call);
}

TEST(CallGrammar, a_dialect_without_tools_says_so) {
  EXPECT_EQ(fits("x", form_of(ToolChoice::Kind::required), ""),
            "tools: this model's template knows no tools; use another model, or leave them out");
}

// Goes where the masks allow, at random, and ends where it may.
std::string walk(const SharedGrammar& grammar, const SharedVocabulary& vocabulary, std::mt19937& random) {
  TokenMatcher matcher(grammar, vocabulary);
  const Tokenizer& tokenizer = vocabulary->tokenizer();
  std::string out;
  const std::string wanted = "<>{}[]\"\n";
  while (out.size() < 4000 && !matcher.ended()) {
    if (matcher.may_end() && (random() % 3 == 0 || matcher.must_end())) break;
    const auto mask = matcher.allowed();
    std::vector<TokenId> choices;
    for (TokenId id = 0; id < 256; ++id) {
      if ((mask[static_cast<std::size_t>(id) / 64] >> (id % 64) & 1) == 0) continue;
      const char byte = tokenizer.bytes_of(id).front();
      // Structure is likelier than content, so that strings end.
      const int weight = wanted.find(byte) != std::string::npos ? 40 : std::isalnum(static_cast<unsigned char>(byte)) != 0 ? 2 : 1;
      choices.insert(choices.end(), static_cast<std::size_t>(weight), id);
    }
    if (choices.empty()) break;
    const TokenId chosen = choices[random() % choices.size()];
    EXPECT_TRUE(matcher.advance(chosen));
    out += tokenizer.bytes_of(chosen);
  }
  return matcher.may_end() ? out : "";
}

TEST(CallGrammar, whatever_the_grammar_lets_a_model_write_the_parser_reads_as_calls) {
  const Tokenizer tokenizer = bytes_only();
  const SharedVocabulary vocabulary = TokenVocabulary::make(tokenizer, tokenizer.vocab_size());
  std::mt19937 random(3);
  for (const std::string_view marks : all_marks) {
    const auto grammar = grammar_of(dialect_of(marks), form_of(ToolChoice::Kind::required));
    ASSERT_TRUE(grammar) << marks << grammar.error().message;
    int whole = 0;
    for (int round = 0; round < 30; ++round) {
      const std::string reply = walk(*grammar, vocabulary, random);
      if (reply.empty()) continue;
      ++whole;
      ReplyParser parser(dialect_of(marks), "", form_of(ToolChoice::Kind::required));
      std::string content;
      auto parts = parser.push(reply);
      for (ReplyPart& part : parser.finish()) parts.push_back(std::move(part));
      for (const ReplyPart& part : parts)
        if (part.kind == ReplyPart::Kind::content || part.kind == ReplyPart::Kind::call_broken) content += part.text;
      EXPECT_EQ(content, "") << marks << "\n" << reply;
      EXPECT_GE(parser.calls(), 1) << marks << "\n" << reply;
      EXPECT_TRUE(parser.warnings().empty()) << parser.warnings()[0] << "\n" << reply;
    }
    EXPECT_GE(whole, 3) << marks;  // texts without a schema seldom end by chance
  }
}

}  // namespace
}  // namespace qn::text
