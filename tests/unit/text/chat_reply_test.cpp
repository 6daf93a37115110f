#include "text/chat/reply_parser.h"

#include <gtest/gtest.h>

#include <random>

#include "unit/text/chat_samples.h"

namespace qn::text {
namespace {

std::string hermes(std::string_view reply, const Reading& how = {}) {
  return read_every_way(dialect_of(hermes_marks), reply, how);
}
std::string coder(std::string_view reply) {
  return read_every_way(dialect_of(coder_marks), reply);
}
std::string llama3(std::string_view reply) {
  return read_every_way(dialect_of(llama3_marks), reply);
}
std::string mistral(std::string_view reply) {
  return read_every_way(dialect_of(mistral_marks), reply);
}
std::string deepseek(std::string_view reply) {
  return read_every_way(dialect_of(deepseek_v31_marks), reply);
}

const std::string_view paris_call = "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
const std::string_view time_call = "<tool_call>\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_call>";

// --- all dialects ---

TEST(ReplyParser, text_thinking_and_calls_come_apart) {
  EXPECT_EQ(hermes("<think>\nhm\n</think>\n\nI look.\n" + std::string(paris_call)), R"(T(hm)C(I look.)0get_weather({"city": "Paris"}))");
}

TEST(ReplyParser, an_empty_thought_is_nothing) {
  EXPECT_EQ(hermes("<think>\n\n</think>\n\nHi"), "C(Hi)");
  EXPECT_EQ(hermes("<think></think>" + std::string(time_call)), "0get_time({})");
}

TEST(ReplyParser, a_thought_that_the_prompt_opened_is_one) {
  EXPECT_EQ(hermes("hm\n</think>\n" + std::string(time_call), {.prompt = "assistant\n<think>\n"}), "T(hm)0get_time({})");
}

TEST(ReplyParser, a_call_inside_a_thought_is_text) {
  EXPECT_EQ(hermes("<think>" + std::string(time_call) + "</think>ok"), "T(" + std::string(time_call) + ")C(ok)");
}

TEST(ReplyParser, calls_are_numbered_and_white_space_beside_them_is_dropped) {
  EXPECT_EQ(hermes(std::string(paris_call) + "\n" + std::string(time_call) + "\n"), R"(0get_weather({"city": "Paris"})1get_time({}))");
  EXPECT_EQ(hermes(std::string(time_call) + "\n\nDone. \n"), "0get_time({})C(Done. \n)");
}

TEST(ReplyParser, white_space_of_the_content_itself_stays) {
  EXPECT_EQ(hermes("  a \n\n b\n"), "C(  a \n\n b\n)");
}

TEST(ReplyParser, without_tools_or_with_choice_none_a_call_is_text) {
  const std::string text = "C(" + std::string(time_call) + ")";
  EXPECT_EQ(hermes(time_call, {.form = {}}), text);
  EXPECT_EQ(hermes(time_call, {.form = {.tools = sample_tools(), .choice = {ToolChoice::Kind::none}}}), text);
  EXPECT_EQ(read_every_way(dialect_of("x"), time_call), text);
}

TEST(ReplyParser, one_call_means_that_nothing_follows_it) {
  ReplyParser parser(dialect_of(hermes_marks), "", {.tools = sample_tools(), .calls = Calls::one});
  EXPECT_EQ(shown(parser.push(std::string(time_call) + std::string(paris_call) + "text")), "0get_time({})");
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(parser.calls(), 1);
  EXPECT_TRUE(parser.push("more").empty());
  EXPECT_TRUE(parser.finish().empty());
}

TEST(ReplyParser, an_unknown_function_is_text_and_a_warning) {
  ReplyParser parser(dialect_of(hermes_marks), "", {.tools = sample_tools()});
  const std::string reply = "<tool_call>\n{\"name\": \"rm\", \"arguments\": {}}\n</tool_call>";
  auto parts = parser.push(reply);
  for (ReplyPart& part : parser.finish()) parts.push_back(std::move(part));
  EXPECT_EQ(shown(parts), "C(" + reply + ")");
  EXPECT_EQ(parser.calls(), 0);
  ASSERT_EQ(parser.warnings().size(), 1u);
  EXPECT_EQ(parser.warnings()[0], "tool call: there is no function 'rm'; passed on as text");
}

TEST(ReplyParser, malformed_calls_are_text_to_the_byte) {
  for (const std::string reply :
       {"<tool_call>", "<tool_call>\n", "<tool_call>hello</tool_call>", "<tool_call>\n{\"name\": 5}\n</tool_call>",
        "<tool_call>{\"arguments\": {}}</tool_call>", "<tool_call>\n{\"name\": \"get_time\", \"arguments\": [1]}",
        "<tool_call>{\"name\": \"get_time\"", "a <tool_cal", "<tool_call>{\"city\": 1}", "<tool_call><tool_call> x"})
    EXPECT_EQ(hermes(reply), "C(" + reply + ")");
}

TEST(ReplyParser, a_call_that_breaks_after_it_began_takes_itself_back) {
  EXPECT_EQ(hermes("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": Paris}}\n</tool_call>"),
            "0get_weather({\"city\":  BROKEN(<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": )C(Paris}}\n</tool_call>)");
}

TEST(ReplyParser, a_call_that_is_cut_off_takes_itself_back) {
  EXPECT_EQ(hermes("<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Par"),
            "0get_weather({\"city\": \"Par BROKEN(<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Par)");
}

TEST(ReplyParser, a_call_with_whole_arguments_counts_without_its_closing_mark) {
  const std::string_view open = paris_call.substr(0, paris_call.find("\n</tool_call>"));
  EXPECT_EQ(hermes(open), R"(0get_weather({"city": "Paris"}))");
  EXPECT_EQ(hermes(std::string(open) + "\n</tool"), R"(0get_weather({"city": "Paris"}))");
  EXPECT_EQ(hermes(std::string(open) + "}\n</tool_call>"), "0get_weather({\"city\": \"Paris\"})C(}\n</tool_call>)");
  EXPECT_EQ(hermes(std::string(open) + "\n" + std::string(time_call)), R"(0get_weather({"city": "Paris"})1get_time({}))");
}

TEST(ReplyParser, a_mark_begun_in_vain_does_not_hide_the_real_one) {
  EXPECT_EQ(hermes("a <tool_<tool_call>\n<tool_call>\n{\"name\": \"get_time\"}</tool_call>"), "C(a <tool_<tool_call>\n)0get_time({})");
}

TEST(ReplyParser, arguments_come_in_pieces_as_the_model_writes_them) {
  ReplyParser parser(dialect_of(hermes_marks), "", {.tools = sample_tools()});
  EXPECT_EQ(shown(parser.push("<tool_call>\n{\"name\": \"get_weather\", \"argu")), "");
  EXPECT_EQ(shown(parser.push("ments\": {\"ci")), "0get_weather({\"ci");
  EXPECT_EQ(shown(parser.push("ty\": \"Pa")), "ty\": \"Pa");
  EXPECT_EQ(shown(parser.push("ris\"}}")), "ris\"})");
  EXPECT_EQ(parser.calls(), 1);
}

TEST(ReplyParser, content_waits_only_while_it_may_be_a_mark) {
  ReplyParser parser(dialect_of(hermes_marks), "", {.tools = sample_tools()});
  EXPECT_EQ(shown(parser.push("a < b")), "C(a < b)");
  EXPECT_EQ(shown(parser.push(" <tool")), "");
  EXPECT_EQ(shown(parser.push("s")), "C( <tools)");
}

TEST(ReplyParser, ids_are_told_at_the_beginning_of_a_call) {
  ReplyParser parser(dialect_of(hermes_marks), "", {.tools = sample_tools(), .call_seed = 5});
  const auto parts = parser.push(std::string(time_call) + std::string(time_call));
  ASSERT_EQ(parts.size(), 6u);
  EXPECT_EQ(parts[0].id, make_call_id(CallIds::prefixed, 5));
  EXPECT_EQ(parts[3].id, make_call_id(CallIds::prefixed, 6));
}

// --- Hermes and other JSON objects ---

TEST(ReplyParser, names_and_arguments_may_come_in_any_order_and_dress) {
  EXPECT_EQ(hermes(R"(<tool_call>{"arguments": {"city": "A"}, "name": "get_weather"}</tool_call>)"), R"(0get_weather({"city": "A"}))");
  EXPECT_EQ(hermes(R"(<tool_call>{"name": "get_weather", "arguments": "{\"city\": \"A\"}"}</tool_call>)"),
            R"(0get_weather({"city": "A"}))");
  EXPECT_EQ(hermes(R"(<tool_call>{"type": "function", "name": "get_time", "parameters": {}, "x": [1, 2.5e3]}</tool_call>)"),
            "0get_time({})");
  EXPECT_EQ(hermes(R"(<tool_call>{"name": "get_time", "arguments": null}</tool_call>)"), "0get_time({})");
  EXPECT_EQ(hermes(R"(<tool_call>{"name": "get_time", "arguments": ""}</tool_call>)"), "0get_time({})");
  EXPECT_EQ(hermes(R"(<tool_call>{"name": "get\u005ftime"}</tool_call>)"), "0get_time({})");
}

TEST(ReplyParser, line_ends_within_strings_are_escaped) {
  EXPECT_EQ(hermes("<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"a\nb\tc\"}}</tool_call>"),
            R"(0get_weather({"city": "a\nb\tc"}))");
}

TEST(ReplyParser, arguments_are_json_of_bounded_depth) {
  const std::string deep = "<tool_call>{\"name\": \"get_time\", \"arguments\": {\"a\": " + std::string(200, '[');
  EXPECT_NE(read_reply(dialect_of(hermes_marks), deep).find("BROKEN"), std::string::npos);
}

// --- Qwen3-Coder ---

TEST(ReplyParser, coder_values_get_the_types_of_the_schema) {
  EXPECT_EQ(
      coder("<tool_call>\n<function=get_weather>\n<parameter=city>\nNew \"York\"\n</parameter>\n<parameter=days>\n3\n</parameter>\n"
            "<parameter=exact>\nTrue\n</parameter>\n<parameter=where>\n{\"a\": [1]}\n</parameter>\n<parameter=note>\nnull\n</parameter>\n"
            "<parameter=share>\n0.5\n</parameter>\n<parameter=unit>\nC\n</parameter>\n</function>\n</tool_call>"),
      R"(0get_weather({"city": "New \"York\"", "days": 3, "exact": true, "where": {"a": [1]}, "note": null, "share": 0.5, "unit": "C"}))");
}

TEST(ReplyParser, coder_strings_keep_their_lines_and_their_tags) {
  EXPECT_EQ(coder("<function=get_weather>\n<parameter=city>\n\n  a\n</b> </function> </param\n\n</parameter>\n</function>"),
            R"(0get_weather({"city": "\n  a\n</b> </function> </param\n"}))");
  EXPECT_EQ(coder("<function=get_weather><parameter=city>a</parameter></function>"), R"(0get_weather({"city": "a"}))");
  EXPECT_EQ(coder("<function=get_weather><parameter=city>\n</parameter></function>"), R"(0get_weather({"city": ""}))");
}

TEST(ReplyParser, coder_values_that_are_not_of_their_type_stay_readable) {
  EXPECT_EQ(coder("<function=get_weather><parameter=days>\nthree\n</parameter><parameter=other>\n5\n</parameter></function>"),
            R"(0get_weather({"days": "three", "other": "5"}))");
}

TEST(ReplyParser, coder_calls_without_parameters_have_an_empty_object) {
  EXPECT_EQ(
      coder("Let me "
            "see.\n<tool_call>\n<function=get_time>\n</function>\n</tool_call>\n<tool_call>\n<function=get_time></function></tool_call>"),
      "C(Let me see.)0get_time({})1get_time({})");
}

TEST(ReplyParser, coder_calls_of_unknown_functions_are_text) {
  const std::string reply = "<tool_call>\n<function=rm>\n<parameter=a>\nb\n</parameter>\n</function>\n</tool_call>";
  EXPECT_EQ(coder(reply), "C(" + reply + ")");
}

TEST(ReplyParser, coder_parameters_given_twice_break_the_call) {
  EXPECT_NE(coder("<function=get_weather><parameter=city>a</parameter><parameter=city>b</parameter></function>").find("BROKEN"),
            std::string::npos);
}

// --- Llama 3 ---

TEST(ReplyParser, llama_calls_are_bare_objects_or_follow_the_python_tag) {
  EXPECT_EQ(llama3(R"({"name": "get_weather", "parameters": {"city": "Oslo"}})"), R"(0get_weather({"city": "Oslo"}))");
  EXPECT_EQ(llama3(R"(<|python_tag|>{"name": "get_time", "parameters": {}}; {"name": "get_weather", "parameters": {"city": "A"}})"),
            R"(0get_time({})1get_weather({"city": "A"}))");
  EXPECT_EQ(llama3("\n{\"type\": \"function\", \"name\": \"get_time\", \"parameters\": {}}\n"), "0get_time({})");
}

TEST(ReplyParser, llama_json_that_is_no_call_is_content_at_once) {
  EXPECT_EQ(llama3(R"({"name": "Bob", "age": 5})"), R"(C({"name": "Bob", "age": 5}))");
  EXPECT_EQ(llama3(R"(See: {"name": "get_time", "parameters": {}})"), R"(C(See: {"name": "get_time", "parameters": {}}))");
  ReplyParser parser(dialect_of(llama3_marks), "", {.tools = sample_tools()});
  EXPECT_EQ(shown(parser.push("{\"answer\": 4")), "C({\"answer\": 4)");
  EXPECT_TRUE(parser.warnings().empty());
}

TEST(ReplyParser, python_after_the_tag_is_text) {
  EXPECT_EQ(llama3("<|python_tag|>print(1)"), "C(<|python_tag|>print(1))");
}

// --- Mistral ---

TEST(ReplyParser, mistral_arrays_of_calls) {
  EXPECT_EQ(
      mistral(
          R"([TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "A"}, "id": "a1B2c3D4e"}, {"name": "get_time", "arguments": {}}])"),
      R"(0get_weather({"city": "A"})1get_time({}))");
  EXPECT_EQ(mistral(R"([TOOL_CALLS][{"name": "get_time", "arguments": {}}] ok)"), "0get_time({})C(ok)");
}

TEST(ReplyParser, mistral_names_before_arguments) {
  EXPECT_EQ(mistral(R"(I see.[TOOL_CALLS]get_weather[ARGS]{"city": "A"}[TOOL_CALLS]get_time[ARGS]{})"),
            R"(C(I see.)0get_weather({"city": "A"})1get_time({}))");
  EXPECT_EQ(mistral(R"([TOOL_CALLS]get_weather{"city": "A"})"), R"(0get_weather({"city": "A"}))");
}

TEST(ReplyParser, mistral_ids_have_nine_characters_or_are_the_model_s) {
  ReplyParser parser(dialect_of(mistral_v11_marks), "", {.tools = sample_tools()});
  const auto parts = parser.push("[TOOL_CALLS]get_time[CALL_ID]a1B2c3D4e[ARGS]{}[TOOL_CALLS]get_time[ARGS]{}");
  ASSERT_EQ(parts.size(), 6u);
  EXPECT_EQ(parts[0].id, "a1B2c3D4e");
  EXPECT_EQ(parts[3].id.size(), 9u);
}

TEST(ReplyParser, mistral_text_after_the_mark_that_is_no_call_stays) {
  EXPECT_EQ(mistral("[TOOL_CALLS]rm[ARGS]{}"), "C([TOOL_CALLS]rm[ARGS]{})");
  EXPECT_EQ(mistral("[TOOL_CALLS] none"), "C([TOOL_CALLS] none)");
  EXPECT_EQ(mistral(R"([TOOL_CALLS][{"name": "get_time", "arguments": {}}, {"name": "rm"}])"), R"(0get_time({})C(, {"name": "rm"}]))");
}

// --- DeepSeek ---

TEST(ReplyParser, deepseek_calls_with_fences_and_without) {
  const std::string v3 =
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\": \"A\"}\n```<｜tool▁call▁end｜>\n"
      "<｜tool▁call▁begin｜>function<｜tool▁sep｜>get_time\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
  const std::string v31 =
      "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"A\"}<｜tool▁call▁end｜>"
      "<｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
  for (const std::string_view marks : {deepseek_v3_marks, deepseek_v31_marks})
    for (const std::string& reply : {v3, v31})
      EXPECT_EQ(read_every_way(dialect_of(marks), "Sure." + reply), R"(C(Sure.)0get_weather({"city": "A"})1get_time({}))");
}

TEST(ReplyParser, deepseek_runs_that_are_cut_off_after_a_call_keep_it) {
  EXPECT_EQ(deepseek("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{}"), "0get_time({})");
  EXPECT_EQ(deepseek("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{} x"), "0get_time({})C(x)");
}

// --- anything ---

TEST(ReplyParser, any_cut_of_any_reply_gives_the_same_parts) {
  std::mt19937 random(11);
  const std::vector<std::string> pieces = {"<think>",
                                           "</think>",
                                           "<tool_call>",
                                           "</tool_call>",
                                           "{\"name\": \"get_time\"",
                                           ", \"arguments\": ",
                                           "{}",
                                           "{\"a\": \"b",
                                           "\"}",
                                           "}",
                                           "\n",
                                           " ",
                                           "[TOOL_CALLS]",
                                           "[ARGS]",
                                           "get_time",
                                           "[",
                                           "]",
                                           ",",
                                           ";",
                                           "<function=get_weather>",
                                           "<parameter=days>",
                                           "7",
                                           "\n</parameter>",
                                           "</function>",
                                           "<｜tool▁calls▁begin｜>",
                                           "<｜tool▁call▁begin｜>",
                                           "<｜tool▁sep｜>",
                                           "<｜tool▁call▁end｜>",
                                           "<|python_tag|>",
                                           "中",
                                           "<",
                                           "{"};
  for (int round = 0; round < 4000; ++round) {
    std::string reply;
    for (unsigned i = random() % 14; i > 0; --i) reply += pieces[random() % pieces.size()];
    const std::string_view marks = std::vector<std::string_view>{hermes_marks,  coder_marks,       llama3_marks,
                                                                 mistral_marks, mistral_v11_marks, deepseek_v3_marks}[random() % 6];
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at <= reply.size(); ++at)
      if (random() % 3 == 0) cuts.push_back(at);
    ASSERT_EQ(read_reply(dialect_of(marks), reply), read_reply(dialect_of(marks), reply, {}, cuts)) << reply << "\n" << marks;
  }
}

}  // namespace
}  // namespace qn::text
