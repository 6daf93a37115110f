#include "api/sampling_fields.h"

#include <gtest/gtest.h>

#include <limits>

namespace qn::api {
namespace {

struct Read {
  serve::ReplyRequest request;
  Reading reading;
};

template <class Reader>
Read read(std::string_view text, Reader reader) {
  Read out;
  const auto parsed = json::parse(text);
  EXPECT_TRUE(parsed) << text;
  Fields fields(&parsed->get_object(), "", out.reading);
  reader(fields, out.request);
  return out;
}
Read sampling(std::string_view text) {
  return read(text, read_sampling);
}

TEST(SamplingFields, every_spelling_of_a_limit_is_the_same_number) {
  for (const char* name : {"max_tokens", "max_completion_tokens", "num_predict", "n_predict", "max_output_tokens"})
    EXPECT_EQ(sampling(fmt::format(R"({{"{}":7}})", name)).request.parameters.num_predict, 7) << name;
}

TEST(SamplingFields, every_spelling_of_the_repetition_penalty_is_the_same_number) {
  for (const char* name : {"repetition_penalty", "repeat_penalty"})
    EXPECT_EQ(sampling(fmt::format(R"({{"{}":1.5}})", name)).request.parameters.sampling.repetition_penalty, 1.5f) << name;
}

TEST(SamplingFields, numbers_that_are_none_are_refused_with_their_field) {
  for (const char* text :
       {R"({"temperature":-1})", R"({"temperature":"hot"})", R"({"temperature":1e308})", R"({"top_p":1.1})", R"({"top_k":-2})",
        R"({"seed":1.5})", R"({"seed":1e300})", R"({"max_tokens":-3})", R"({"stop":[1]})", R"({"logit_bias":{"x":1}})",
        R"({"logit_bias":{"1":"x"}})", R"({"min_tokens":5,"max_tokens":4})", R"({"use_beam_search":true})", R"({"stop_token_ids":[-1]})"}) {
    const Read result = sampling(text);
    ASSERT_TRUE(result.reading.error) << text;
    EXPECT_NE(text + std::string_view(text).find(result.reading.param), nullptr);
    EXPECT_NE(std::string_view(text).find(result.reading.param), std::string_view::npos) << text << " " << result.reading.param;
  }
}

TEST(SamplingFields, a_seed_of_minus_one_is_no_seed) {
  EXPECT_EQ(sampling(R"({"seed":-1})").request.parameters.sampling.seed, std::nullopt);
  EXPECT_EQ(sampling(R"({"seed":42})").request.parameters.sampling.seed, 42u);
}

TEST(SamplingFields, bias_comes_by_id_by_text_and_as_a_ban) {
  const Read result = sampling(R"({"logit_bias":[[5,-1.5],["no",false],[7,2]]})");
  ASSERT_FALSE(result.reading.error) << result.reading.error->message;
  ASSERT_EQ(result.request.logit_bias.size(), 2u);
  EXPECT_EQ(result.request.logit_bias[0].token, 5);
  EXPECT_EQ(result.request.logit_bias[0].bias, -1.5f);
  ASSERT_EQ(result.request.text_bias.size(), 1u);
  EXPECT_EQ(result.request.text_bias[0].second, -std::numeric_limits<float>::infinity());
}

TEST(SamplingFields, what_has_no_effect_is_reported) {
  const Read result = sampling(R"({"mirostat":2,"tfs_z":1,"use_mlock":true})");
  EXPECT_EQ(result.reading.warnings.size(), 3u);
}

TEST(SamplingFields, a_form_comes_in_every_spelling) {
  const auto form = [](std::string_view text) { return read(text, read_form).request.form; };
  EXPECT_TRUE(std::holds_alternative<serve::AnyJsonObject>(form(R"({"response_format":{"type":"json_object"}})")));
  EXPECT_TRUE(std::holds_alternative<serve::AnyJsonObject>(form(R"({"format":"json"})")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(form(R"({"format":""})")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(form(R"({"response_format":{"type":"text"}})")));
  for (const char* text : {R"({"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})",
                           R"({"response_format":{"type":"json_schema","schema":{"type":"object"}}})",
                           R"({"response_format":{"type":"json_object","schema":{"type":"object"}}})", R"({"format":{"type":"object"}})",
                           R"({"json_schema":{"type":"object"}})", R"({"guided_json":{"type":"object"}})",
                           R"({"guided_json":"{\"type\":\"object\"}"})", R"({"structured_outputs":{"json":{"type":"object"}}})"})
    EXPECT_TRUE(std::holds_alternative<serve::JsonSchema>(form(text))) << text;
  EXPECT_TRUE(std::holds_alternative<serve::Regex>(form(R"({"guided_regex":"a+"})")));
  EXPECT_TRUE(std::holds_alternative<serve::Gbnf>(form(R"({"grammar":"root ::= \"a\""})")));
  EXPECT_TRUE(std::holds_alternative<serve::OneOf>(form(R"({"guided_choice":["a","b"]})")));
}

TEST(SamplingFields, a_schema_and_a_grammar_together_are_refused) {
  EXPECT_TRUE(read(R"({"json_schema":{},"grammar":"root ::= \"a\""})", read_form).reading.error);
}

TEST(SamplingFields, the_templates_argument_wins_over_other_ways_to_ask_for_thinking) {
  const Read result = read(R"({"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"high"})", read_thinking);
  EXPECT_EQ(result.request.chat.think, false);
  EXPECT_EQ(result.reading.warnings.size(), 1u);
  EXPECT_EQ(read(R"({"reasoning_effort":"none"})", read_thinking).request.chat.think, false);
  EXPECT_EQ(read(R"({"thinking":{"type":"enabled","budget_tokens":9}})", read_thinking).request.thinking_budget, 9);
  EXPECT_EQ(read("{}", read_thinking).request.chat.think, std::nullopt);
}

TEST(SamplingFields, keep_alive_is_seconds_or_a_duration) {
  const auto seconds = [](std::string_view text) { return read_keep_alive(*json::parse(text)).value_or(-99); };
  EXPECT_EQ(seconds("300"), 300);
  EXPECT_EQ(seconds("\"5m\""), 300);
  EXPECT_EQ(seconds("\"1h30m\""), 5400);
  EXPECT_EQ(seconds("\"300ms\""), 0.3);
  EXPECT_EQ(seconds("\"-1\""), -1);
  EXPECT_EQ(seconds("-1"), -1);
  EXPECT_EQ(seconds("\"300\""), 300);
  for (const char* text : {"\"\"", "\"soon\"", "\"5x\"", "true", "\"-\"", "\"5m3\"", "\"nan\"", "\"inf\"", "\"1e9h\""})
    EXPECT_FALSE(read_keep_alive(*json::parse(text))) << text;
}

}  // namespace
}  // namespace qn::api
