#include "text/chat/chat.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
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

// --- several texts in one message ---

constexpr std::string_view string_form = "{% for m in messages %}[{{ m.role }}:{{ m.content + '' }}]{% endfor %}";
constexpr std::string_view either_form =
    "{% for m in messages %}[{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif "
    "%}]"
    "{% endfor %}";
constexpr std::string_view parts_form = "{% for m in messages %}[{% for p in m.content %}{{ p.text }}{% endfor %}]{% endfor %}";

TemplateCapabilities capabilities_of(std::string_view source) {
  const auto form = Template::parse(source);
  const Dialect dialect = find_dialect(source, [](std::string_view) { return false; });
  return template_capabilities(*form, source, dialect, {.bos = "<s>", .eos = "</s>"});
}

std::string shown_well(std::string_view source, const Chat& chat) {
  const auto form = Template::parse(source);
  const auto out = render_chat(*form, chat, {.bos = "<s>", .eos = "</s>"}, sample_time(), capabilities_of(source));
  return out ? *out : out.error().message;
}

TEST(Chat, texts_of_one_message_are_joined_as_the_template_takes_them) {
  const Chat chat{.messages = {{.role = "user", .content = {}, .parts = {"a", "b"}}, {"user", "c"}}};
  EXPECT_EQ(shown_well(string_form, chat), "[user:a\nb][user:c]");
  EXPECT_EQ(shown_well(either_form, chat), "[ab][c]");
  EXPECT_EQ(shown_well(parts_form, chat), "[ab][c]");
}

// --- answers of tools ---

std::vector<Message> tied(std::vector<Message> messages, CallIds ids = CallIds::prefixed) {
  tie_tool_messages(messages, ids);
  return messages;
}
Message calling(std::vector<ToolCall> calls) {
  return {.role = "assistant", .content = "", .tool_calls = std::move(calls)};
}

TEST(ToolMessages, an_answer_has_the_name_of_the_newest_call_with_its_id) {
  const auto messages = tied({calling({{"1", "f", "{}"}, {"2", "g", "{}"}}),
                              {.role = "tool", .content = "x", .tool_call_id = "2"},
                              calling({{"1", "h", "{}"}}),
                              {.role = "tool", .content = "y", .tool_call_id = "1"},
                              {.role = "tool", .content = "z", .tool_call_id = "9"}});
  EXPECT_EQ(messages[1].name, "g");
  EXPECT_EQ(messages[3].name, "h");
  EXPECT_EQ(messages[4].name, "");
}

TEST(ToolMessages, an_answer_without_an_id_is_of_the_call_of_that_name_or_the_next_one) {
  const auto messages = tied({calling({{"1", "f", "{}"}, {"2", "g", "{}"}, {"3", "f", "{}"}}),
                              {.role = "tool", .content = "", .name = "g"},
                              {.role = "tool", .content = ""},
                              {.role = "tool", .content = "", .name = "f"}});
  EXPECT_EQ(messages[1].tool_call_id, "2");
  EXPECT_EQ(messages[2].tool_call_id, "1");
  EXPECT_EQ(messages[2].name, "f");
  EXPECT_EQ(messages[3].tool_call_id, "3");
}

TEST(ToolMessages, ids_become_what_mistral_s_templates_insist_on) {
  const auto messages = tied({calling({{"call_ab12cd34", "f", "{}"}, {"", "g", "{}"}}),
                              {.role = "tool", .content = "", .tool_call_id = "call_ab12cd34"},
                              {.role = "tool", .content = "", .name = "g"}},
                             CallIds::nine_alphanumeric);
  EXPECT_EQ(messages[0].tool_calls[0].id.size(), 9u);
  EXPECT_EQ(messages[1].tool_call_id, messages[0].tool_calls[0].id);
  EXPECT_EQ(messages[2].tool_call_id, messages[0].tool_calls[1].id);
  EXPECT_EQ(messages[2].tool_call_id.size(), 9u);
}

// --- going on with the last message ---

TEST(Chat, a_continued_message_stays_open) {
  const Chat chat{.messages = {{"user", "hi"}, {"assistant", "Once upon "}}, .continue_final_message = true};
  EXPECT_EQ(
      shown(
          "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
          chat),
      "<user>hi</><assistant>Once upon ");
}

TEST(Chat, only_a_text_of_the_assistant_can_be_continued) {
  const Chat chat{.messages = {{"user", "hi"}}, .continue_final_message = true};
  EXPECT_EQ(shown("{{ messages }}", chat),
            "continue_final_message: the last message is no text of the assistant; add one, or leave this out");
  const Chat hidden{.messages = {{"assistant", "x"}}, .continue_final_message = true};
  EXPECT_EQ(shown("nothing", hidden), "continue_final_message: this model's template does not show the last message; leave it out");
}

// --- what a template can do ---

TEST(TemplateCapabilities, a_template_is_asked_what_it_shows) {
  EXPECT_TRUE(capabilities_of(string_form).system);
  EXPECT_FALSE(capabilities_of(string_form).text_parts);
  EXPECT_TRUE(capabilities_of(either_form).text_parts);
  EXPECT_FALSE(capabilities_of(either_form).text_only_in_parts);
  EXPECT_TRUE(capabilities_of(parts_form).text_only_in_parts);
  EXPECT_FALSE(
      capabilities_of("{% if messages[0].role != 'user' %}{{ raise_exception('no') }}{% endif %}{{ messages[0].content }}").system);
  EXPECT_FALSE(capabilities_of(string_form).thinking);
  EXPECT_FALSE(capabilities_of("{{ messages[0].content }}{{ tools }}").tools);  // no dialect
  EXPECT_TRUE(capabilities_of("{{ messages[0].content }}{{ tools }}<tool_call>").tools);
}

TEST(TemplateCapabilities, qwq_has_tools_and_thinks_without_a_switch) {
  std::ifstream file(QN_SHARED_DATA "/templates/QwQ.jinja");
  const std::string source((std::istreambuf_iterator<char>(file)), {});
  const TemplateCapabilities can = capabilities_of(source);
  EXPECT_TRUE(can.system && can.tools && can.thinking);
  EXPECT_FALSE(can.think_switch);
  const Chat quiet{.messages = {{"user", "hi"}}, .think = false};
  EXPECT_EQ(shown_well(source, quiet), "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
}

TEST(TemplateCapabilities, a_switch_is_found_by_its_effect) {
  const TemplateCapabilities can = capabilities_of("{{ messages[0].content }}{% if enable_thinking %}<think>{% endif %}");
  EXPECT_TRUE(can.think_switch && can.thinking);
}

TEST(Chat, a_thinking_argument_of_the_template_goes_before_the_request_s) {
  Chat chat{.think = false, .template_arguments = {{"enable_thinking", true}}};
  EXPECT_EQ(shown("{{ enable_thinking }}", chat), "True");
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
