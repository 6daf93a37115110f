// What a template writes of a call in a history is how its model writes one: the parser has to read it back.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "text/chat/chat.h"
#include "unit/text/chat_samples.h"
#include "unit/text/template_samples.h"

namespace qn::text {
namespace {

struct Case {
  std::string_view file;
  int calls;  // that the template can write in one turn
};

std::string source_of(std::string_view file) {
  const std::string name(file);
  std::ifstream stream(name.rfind("data/", 0) == 0 ? QN_SHARED_DATA "/" + name.substr(5) : QN_REPOSITORY "/tests/data/templates/" + name);
  std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (name.size() < 5 || name.substr(name.size() - 5) != ".json") return text;
  const auto config = json::parse(text);
  return config ? std::string(config->as_object().at("chat_template").as_string()) : "";
}

json::Array openai_tools() {
  json::Array out;
  for (const Tool& tool : sample_tools())
    out.push_back(json::Object{
        {"type", "function"},
        {"function", json::Object{{"name", tool.name},
                                  {"description", "d"},
                                  {"parameters", tool.parameters.is_null() ? json::Value(json::Object{{"properties", json::Object()}})
                                                                           : tool.parameters}}}});
  return out;
}

class RoundTrip : public testing::TestWithParam<Case> {};

TEST_P(RoundTrip, the_parser_reads_what_the_template_writes) {
  const std::string source = source_of(GetParam().file);
  ASSERT_FALSE(source.empty());
  const auto form = Template::parse(source);
  ASSERT_TRUE(form) << form.error().message;
  const Dialect dialect = dialect_of(source);
  const ChatTokens tokens{.bos = "<s>", .eos = "</s>"};
  const TemplateCapabilities can = template_capabilities(*form, source, dialect, tokens);
  EXPECT_TRUE(can.tools);

  Chat chat{.messages = {{"user", "How is it?"}}, .tools = openai_tools(), .add_generation_prompt = false};
  Message turn{.role = "assistant", .content = ""};
  turn.tool_calls.push_back({"call_1", "get_weather", R"({"city": "New \"York\"\n中", "days": 3})"});
  if (GetParam().calls > 1) turn.tool_calls.push_back({"call_2", "get_time", "{}"});
  chat.messages.push_back(turn);
  const auto after = render_chat(*form, chat, tokens, sample_time(), can);
  ASSERT_TRUE(after) << after.error().message;

  // The reply begins where the prompt ends; a prompt that opens a thought is no beginning of a history that has none.
  chat.messages.pop_back();
  chat.add_generation_prompt = true;
  auto before = render_chat(*form, chat, tokens, sample_time(), can);
  if (before && after->rfind(*before, 0) != 0) {
    chat.add_generation_prompt = false;
    before = render_chat(*form, chat, tokens, sample_time(), can);
  }
  ASSERT_TRUE(before) << before.error().message;
  ASSERT_EQ(after->rfind(*before, 0), 0u);
  const std::string read = read_every_way(dialect, std::string_view(*after).substr(before->size()));
  const std::string calls =
      std::string("0get_weather({\"city\": \"New \\\"York\\\"\\n中\", \"days\": 3})") + (GetParam().calls > 1 ? "1get_time({})" : "");
  EXPECT_NE(read.find(calls), std::string::npos) << read << "\n" << *after;
}

INSTANTIATE_TEST_SUITE_P(Templates, RoundTrip,
                         testing::Values(Case{"data/templates/QwQ.jinja", 2}, Case{"data/qwen2.5/tokenizer_config.json", 2},
                                         Case{"data/qwen3/tokenizer_config.json", 2}, Case{"hermes_tools.jinja", 2},
                                         Case{"llama31.jinja", 1}, Case{"mistral.jinja", 2}),
                         [](const testing::TestParamInfo<Case>& row) {
                           std::string name;
                           for (const char c : row.param.file)
                             if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
                           return name;
                         });

}  // namespace
}  // namespace qn::text
