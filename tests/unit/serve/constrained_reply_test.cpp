// Replies of the model inside that must follow a form: schemas, expressions, tools, budgets.
#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend.h"
#include "base/json.h"
#include "serve/session.h"

namespace qn::serve {
namespace {

using Kind = text::ReplyPart::Kind;

class ConstrainedReply : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    device = make_cpu_backend({.threads = 1});
    auto loaded = load_model(std::filesystem::path(QN_REPOSITORY "/models/quern-mini.gguf"), {.context_tokens = 512}, *device);
    ASSERT_TRUE(loaded) << loaded.error().message;
    model = std::move(*loaded);
  }
  static void TearDownTestSuite() {
    model.reset();
    device.reset();
  }

  struct Whole {
    std::string thinking, content, name, arguments;
    int calls = 0;
    Finish finish = Finish::running;
    ReplyStats stats;
    std::vector<TokenId> tokens;
    std::optional<std::string> stop_text;
  };
  static Whole whole(const ReplyRequest& request, int choice = 0) {
    Whole all;
    const auto prepared = Session(*model).prepare(request);
    EXPECT_TRUE(prepared) << prepared.error().message;
    if (!prepared) return all;
    auto reply = Session(*model).start(*prepared, choice);
    EXPECT_TRUE(reply) << reply.error().message;
    if (!reply) return all;
    while ((*reply)->finish() == Finish::running) {
      const ReplyPiece piece = (*reply)->next(std::chrono::milliseconds(1000));
      all.thinking += piece.thinking();
      all.content += piece.content();
      for (const text::ReplyPart& part : piece.parts) {
        if (part.kind == Kind::call_begin) all.name = part.text, ++all.calls;
        if (part.kind == Kind::call_arguments) all.arguments += part.text;
      }
      for (const ReplyToken& token : piece.tokens) all.tokens.push_back(token.id);
    }
    EXPECT_FALSE((*reply)->error()) << (*reply)->error()->message;
    all.finish = (*reply)->finish();
    all.stats = (*reply)->stats();
    all.stop_text = (*reply)->stop_text();
    return all;
  }
  static ReplyRequest question(std::string text) {
    ReplyRequest request;
    request.chat.messages.push_back({.role = "user", .content = std::move(text)});
    request.parameters.num_predict = 300;
    request.parameters.sampling.seed = 7;
    return request;
  }
  static json::Value parsed(std::string_view text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value) << text;
    return value ? *value : json::Value(nullptr);
  }
  static json::Array weather_tool() {
    return parsed(R"([{"type":"function","function":{"name":"get_weather","description":"The weather in a city","parameters":
      {"type":"object","properties":{"city":{"type":"string","maxLength":20}},"required":["city"],"additionalProperties":false}}}])")
        .get_array();
  }

  static std::unique_ptr<Backend> device;
  static std::unique_ptr<LoadedModel> model;
};
std::unique_ptr<Backend> ConstrainedReply::device;
std::unique_ptr<LoadedModel> ConstrainedReply::model;

TEST_F(ConstrainedReply, a_schema_governs_the_content_and_leaves_the_thinking_free) {
  ReplyRequest request = question("In the word \"berry\", how many R's are there?");
  request.form =
      JsonSchema{parsed(R"({"type":"object","properties":{"letter":{"enum":["R","B"]},"count":{"type":"integer","minimum":0,"maximum":9}},
                                       "required":["letter","count"],"additionalProperties":false})")};
  const Whole reply = whole(request);
  EXPECT_EQ(reply.finish, Finish::stop);
  EXPECT_NE(reply.thinking, "");
  const json::Value value = parsed(reply.content);
  ASSERT_TRUE(value.is_object()) << reply.content;
  EXPECT_TRUE(value.at("letter") == "R" || value.at("letter") == "B");
  EXPECT_TRUE(value.at("count").is_int64());
}

TEST_F(ConstrainedReply, a_schema_governs_from_the_first_token_where_nothing_is_thought) {
  ReplyRequest request = question("Hello!");
  request.chat.think = false;
  request.form =
      JsonSchema{parsed(R"({"type":"object","properties":{"a":{"type":"boolean"}},"required":["a"],"additionalProperties":false})")};
  const Whole reply = whole(request);
  EXPECT_EQ(reply.thinking, "");
  EXPECT_TRUE(parsed(reply.content).at("a").is_bool()) << reply.content;
}

TEST_F(ConstrainedReply, expressions_words_and_grammars_are_followed_to_the_letter) {
  ReplyRequest request = question("Hello!");
  request.form = Regex{"[0-9]{3}-[a-f]{2}"};
  EXPECT_EQ(whole(request).content.size(), 6u);
  request.form = OneOf{{"apple", "pear"}};
  const std::string word = whole(request).content;
  EXPECT_TRUE(word == "apple" || word == "pear") << word;
  request.form = Gbnf{"root ::= \"x\" \"y\"{2,3} \"z\""};
  const std::string letters = whole(request).content;
  EXPECT_TRUE(letters == "xyyz" || letters == "xyyyz") << letters;
}

TEST_F(ConstrainedReply, what_cannot_be_compiled_is_refused_before_anything_runs) {
  ReplyRequest request = question("Hello!");
  request.form = Regex{"(a"};
  EXPECT_FALSE(Session(*model).prepare(request));
  request.form = JsonSchema{parsed(R"({"type":"thing"})")};
  EXPECT_FALSE(Session(*model).prepare(request));
  request.form = Gbnf{"root ::= other"};
  EXPECT_FALSE(Session(*model).prepare(request));
}

TEST_F(ConstrainedReply, a_thought_ends_when_its_budget_is_used) {
  ReplyRequest request = question("In the word \"berry\", how many R's are there?");
  const int free_tokens = whole(request).stats.thinking_tokens;
  ASSERT_GT(free_tokens, 8);
  request.thinking_budget = 4;
  const Whole reply = whole(request);
  EXPECT_EQ(reply.finish, Finish::stop);
  EXPECT_NE(reply.content, "");
  EXPECT_NE(reply.thinking, "");
  EXPECT_EQ(reply.thinking.find("</think>"), std::string::npos);
}

TEST_F(ConstrainedReply, a_required_tool_is_called_with_arguments_that_fit_its_schema) {
  for (const auto kind : {text::ToolChoice::Kind::required, text::ToolChoice::Kind::named}) {
    ReplyRequest request = question("Hello!");
    request.chat.tools = weather_tool();
    request.tool_choice = {kind, "get_weather"};
    const Whole several = whole(request);
    EXPECT_EQ(several.name, "get_weather");
    EXPECT_GE(several.calls, 1);
    request.calls = text::Calls::one;
    const Whole reply = whole(request);
    EXPECT_EQ(reply.name, "get_weather");
    EXPECT_EQ(reply.calls, 1);
    EXPECT_TRUE(parsed(reply.arguments).at("city").is_string()) << reply.arguments;
    EXPECT_EQ(reply.content, "");
  }
}

TEST_F(ConstrainedReply, a_model_that_decides_to_call_a_tool_is_held_to_its_schema) {
  ReplyRequest request = question("What is the weather in Paris?");
  request.chat.tools = weather_tool();
  const Whole reply = whole(request);
  EXPECT_EQ(reply.name, "get_weather");
  EXPECT_TRUE(parsed(reply.arguments).at("city").is_string()) << reply.arguments;
}

TEST_F(ConstrainedReply, without_a_choice_of_tools_what_looks_like_a_call_is_text) {
  ReplyRequest request = question("What is the weather in Paris?");
  request.chat.tools = weather_tool();
  request.tool_choice.kind = text::ToolChoice::Kind::none;
  EXPECT_EQ(whole(request).calls, 0);
}

TEST_F(ConstrainedReply, only_allowed_tokens_are_written) {
  ReplyRequest request = question("Hello!");
  request.allowed_tokens = {40, 41, 42};
  request.parameters.num_predict = 12;
  const Whole reply = whole(request);
  for (const TokenId token : reply.tokens) EXPECT_TRUE(token >= 40 && token <= 42) << token;
}

TEST_F(ConstrainedReply, replies_to_one_prompt_differ_and_each_comes_again) {
  ReplyRequest request = question("Tell me about yourself.");
  request.parameters.sampling.temperature = 8.0f;
  request.parameters.sampling.min_p = 0.0f;
  request.parameters.sampling.top_k = 0;
  request.parameters.sampling.top_p = 1.0f;
  const Whole first = whole(request, 0), second = whole(request, 1);
  EXPECT_NE(first.tokens, second.tokens);
  EXPECT_EQ(second.tokens, whole(request, 1).tokens);
}

TEST_F(ConstrainedReply, the_oldest_messages_go_where_that_was_asked_for) {
  ReplyRequest request = question("one");
  request.chat.messages.clear();
  request.chat.messages.push_back({.role = "system", .content = "Be brief."});
  for (int i = 0; i < 60; ++i) {
    request.chat.messages.push_back({.role = "user", .content = "Hello, here is a message of some length, number " + std::to_string(i)});
    request.chat.messages.push_back({.role = "assistant", .content = "Hello!"});
  }
  request.chat.messages.push_back({.role = "user", .content = "And the last?"});
  const auto refused = Session(*model).prepare(request);
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->fits());
  request.overflow = Overflow::drop_oldest;
  const auto cut = Session(*model).prepare(request);
  ASSERT_TRUE(cut);
  EXPECT_TRUE(cut->fits());
  EXPECT_GT(cut->dropped_messages, 0);
  EXPECT_EQ(cut->dropped_messages % 2, 0);
  EXPECT_NE(cut->text.find("Be brief."), std::string::npos);
  EXPECT_NE(cut->text.find("And the last?"), std::string::npos);
}

TEST_F(ConstrainedReply, the_stop_text_that_was_met_is_told_and_shown_only_on_demand) {
  ReplyRequest request = question("Tell me about yourself.");
  const std::string content = whole(request).content;
  const std::string stop = content.substr(content.size() / 2, 3);
  request.parameters.stop = {stop};
  const Whole cut = whole(request);
  EXPECT_EQ(cut.stop_text, stop);
  EXPECT_EQ(cut.content, content.substr(0, content.find(stop)));
  request.show_stop = true;
  EXPECT_EQ(whole(request).content, content.substr(0, content.find(stop)) + stop);
}

}  // namespace
}  // namespace qn::serve
