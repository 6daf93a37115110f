#include "text/chat/chat.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/text/template_samples.h"

namespace qn::text {
namespace {

std::string shown(std::string_view source, const Chat& chat) {
  const auto form = Template::parse(source);
  if (!form) return form.error().message;
  const auto out = render_chat(*form, chat, {.bos = "<s>", .eos = "</s>"}, sample_time());
  return out ? *out : out.error().message;
}

TEST(Chat, messages_tokens_and_the_prompt_flag_reach_the_template) {
  const std::string_view form =
      "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }}{{ eos_token }}{% endfor %}{{ add_generation_prompt }}";
  EXPECT_EQ(shown(form, {.messages = {{"user", "hi"}, {"assistant", "yo"}}}), "<s>user:hi</s>assistant:yo</s>True");
}

TEST(Chat, keys_that_a_message_does_not_have_are_not_there) {
  EXPECT_EQ(shown("{{ messages[0] }}", {.messages = {{"user", ""}}}), "{'role': 'user', 'content': ''}");
}

TEST(Chat, tool_calls_are_dicts_and_their_arguments_too) {
  Chat chat;
  chat.messages = {{.role = "assistant", .content = "", .reasoning = "why", .tool_calls = {{"id1", "f", R"({"a": [1, 2.5]})"}}}};
  EXPECT_EQ(shown("{{ messages[0].tool_calls }}{{ messages[0].reasoning_content }}", chat),
            "[{'type': 'function', 'id': 'id1', 'function': {'name': 'f', 'arguments': {'a': [1, 2.5]}}}]why");
}

TEST(Chat, arguments_that_are_no_object_stay_text) {
  Chat chat;
  chat.messages = {{.role = "assistant", .content = "", .tool_calls = {{"", "f", "[1"}, {"", "g", "[1]"}, {"", "h", ""}}}};
  EXPECT_EQ(shown("{% for c in messages[0].tool_calls %}{{ [c.function.arguments] }}{% endfor %}", chat), "['[1']['[1]'][{}]");
}

TEST(Chat, a_tool_answer_carries_the_id_of_its_call) {
  Chat chat;
  chat.messages = {{.role = "tool", .content = "5", .tool_call_id = "x1"}};
  EXPECT_EQ(shown("{{ messages[0].tool_call_id }}", chat), "x1");
}

TEST(Chat, absent_tools_are_none_and_an_unset_think_is_undefined) {
  Chat chat;
  EXPECT_EQ(shown("{{ tools is none }} {{ enable_thinking is defined }}", chat), "True False");
  chat.think = false;
  chat.tools = json::Array{json::Object{{"name", "f"}}};
  EXPECT_EQ(shown("{{ tools | length }} {{ enable_thinking }}", chat), "1 False");
}

TEST(Chat, template_arguments_are_names_but_cannot_replace_the_messages) {
  Chat chat;
  chat.messages = {{"user", "hi"}};
  chat.template_arguments = {{"date_string", "today"}, {"messages", json::Array()}};
  EXPECT_EQ(shown("{{ date_string }} {{ messages | length }}", chat), "today 1");
}

// --- thinking ---

ThinkSplitter::Parts split(std::string_view prompt, std::string_view reply, const std::vector<std::size_t>& cuts = {}) {
  ThinkSplitter splitter(prompt);
  ThinkSplitter::Parts all;
  const auto add = [&all](const ThinkSplitter::Parts& parts) {
    all.thinking += parts.thinking;
    all.content += parts.content;
  };
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    add(splitter.push(reply.substr(at, cut - at)));
    at = cut;
  }
  add(splitter.push(reply.substr(at)));
  add(splitter.finish());
  return all;
}

TEST(ThinkSplitter, a_reply_without_tags_is_content) {
  const auto parts = split("", "just <b>text</b>");
  EXPECT_EQ(parts.thinking, "");
  EXPECT_EQ(parts.content, "just <b>text</b>");
}

TEST(ThinkSplitter, the_tags_and_the_line_ends_at_them_belong_to_nobody) {
  const auto parts = split("", "<think>\nhm\nyes\n</think>\n\nAnswer\n");
  EXPECT_EQ(parts.thinking, "hm\nyes");
  EXPECT_EQ(parts.content, "Answer\n");
}

TEST(ThinkSplitter, an_opening_tag_in_the_prompt_counts) {
  const auto parts = split("<|im_start|>assistant\n<think>\n", "hm</think>A");
  EXPECT_EQ(parts.thinking, "hm");
  EXPECT_EQ(parts.content, "A");
}

TEST(ThinkSplitter, a_closed_thought_in_the_prompt_does_not_count) {
  const auto parts = split("assistant\n<think>\n\n</think>\n\n", "A</think>B");
  EXPECT_EQ(parts.thinking, "");
  EXPECT_EQ(parts.content, "A</think>B");
}

TEST(ThinkSplitter, tags_in_the_middle_of_the_content_stay_text) {
  const auto parts = split("", "Use <think> and </think>.");
  EXPECT_EQ(parts.thinking, "");
  EXPECT_EQ(parts.content, "Use <think> and </think>.");
}

TEST(ThinkSplitter, only_the_first_thought_is_one) {
  const auto parts = split("", "<think>a</think>b<think>c</think>");
  EXPECT_EQ(parts.thinking, "a");
  EXPECT_EQ(parts.content, "b<think>c</think>");
}

TEST(ThinkSplitter, a_thought_that_never_ends_is_all_thinking) {
  const auto parts = split("", "<think>a</thin");
  EXPECT_EQ(parts.thinking, "a</thin");
  EXPECT_EQ(parts.content, "");
}

TEST(ThinkSplitter, white_space_before_the_opening_tag_is_dropped_with_it) {
  const auto parts = split("", "\n\n<think>a</think>b");
  EXPECT_EQ(parts.thinking, "a");
  EXPECT_EQ(parts.content, "b");
}

TEST(ThinkSplitter, content_is_shown_as_soon_as_it_cannot_be_a_tag) {
  ThinkSplitter splitter("");
  EXPECT_EQ(splitter.push("<thi").content, "");
  EXPECT_EQ(splitter.push("s").content, "<this");
  EXPECT_EQ(splitter.push(" <").content, " <");
}

TEST(ThinkSplitter, any_cut_of_a_reply_gives_the_same_parts) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"<think>", "</think>", "\n", " ", "a", "<", "</", "think>", "中", "<thi", "\r\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string reply;
    for (unsigned i = random() % 9; i > 0; --i) reply += pieces[random() % pieces.size()];
    const std::string prompt = round % 3 == 0 ? "x<think>\n" : "x";
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at <= reply.size(); ++at)
      if (random() % 2 == 0) cuts.push_back(at);
    const auto whole = split(prompt, reply), cut = split(prompt, reply, cuts);
    ASSERT_EQ(whole.thinking, cut.thinking) << reply;
    ASSERT_EQ(whole.content, cut.content) << reply;
  }
}

}  // namespace
}  // namespace qn::text
