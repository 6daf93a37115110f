#include "text/chat/dialect.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "unit/text/chat_samples.h"

namespace qn::text {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string_view found(std::string_view source) {
  return dialect_of(source).name;
}

TEST(Dialect, a_template_says_how_its_model_calls) {
  EXPECT_EQ(found(hermes_marks), "hermes");
  EXPECT_EQ(found(coder_marks), "qwen3_coder");
  EXPECT_EQ(found(llama3_marks), "llama3");
  EXPECT_EQ(found(mistral_marks), "mistral");
  EXPECT_EQ(found(mistral_v11_marks), "mistral");
  EXPECT_EQ(found(deepseek_v3_marks), "deepseek");
  EXPECT_EQ(found("{{ messages }}"), "plain");
  EXPECT_FALSE(dialect_of("{{ messages }}").has_tools());
}

TEST(Dialect, real_templates_are_known) {
  const std::string samples = QN_REPOSITORY "/tests/data/templates/", shared = QN_SHARED_DATA "/templates/";
  EXPECT_EQ(found(file_text(shared + "QwQ.jinja")), "hermes");
  EXPECT_EQ(found(file_text(shared + "qwen3_nonthinking.jinja")), "plain");
  EXPECT_EQ(found(file_text(samples + "hermes_tools.jinja")), "hermes");
  EXPECT_EQ(found(file_text(samples + "mistral.jinja")), "mistral");
  EXPECT_EQ(found(file_text(samples + "deepseek_r1.jinja")), "deepseek");
  EXPECT_EQ(found(file_text(samples + "gemma.jinja")), "plain");
}

TEST(Dialect, a_dialect_goes_by_the_names_of_vllm_s_parsers) {
  const auto no_token = [](std::string_view) { return false; };
  EXPECT_EQ(dialect_named("qwen3_xml", "", no_token)->name, "qwen3_coder");
  EXPECT_EQ(dialect_named("deepseek_v31", "", no_token)->name, "deepseek");
  EXPECT_EQ(dialect_named("plain", "", no_token)->name, "plain");
  const auto none = dialect_named("qwen3", "", no_token);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("hermes"), std::string::npos) << none.error().message;
}

TEST(Dialect, thinking_tags_are_those_that_the_template_writes_or_the_vocabulary_has) {
  EXPECT_EQ(dialect_of("x").think.open, "<think>");
  EXPECT_EQ(dialect_of("x </seed:think>").think.open, "<seed:think>");
  EXPECT_EQ(find_dialect("[TOOL_CALLS]", [](std::string_view token) { return token == "[/THINK]"; }).think.close, "[/THINK]");
}

TEST(Dialect, every_form_s_lists_end_in_a_step_that_knows_its_end) {
  for (const std::string_view source : {hermes_marks, coder_marks, llama3_marks, mistral_marks, mistral_v11_marks, deepseek_v3_marks}) {
    for (const CallForm& form : dialect_of(source).forms) {
      ASSERT_FALSE(form.call.empty());
      const Step& first = form.open.empty() ? form.call.front() : form.open.front();
      EXPECT_TRUE(first.kind == Step::Kind::text ? first.text == form.trigger : form.trigger == "{") << source;
      for (const std::vector<Step>* fixed : {&form.open, &form.between, &form.close}) {
        for (const Step& step : *fixed) EXPECT_TRUE(step.kind == Step::Kind::text || step.kind == Step::Kind::space) << source;
        EXPECT_TRUE(fixed->empty() || fixed->back().kind == Step::Kind::text) << source;
      }
      for (std::size_t i = 0; i < form.call.size(); ++i) {
        const Step::Kind kind = form.call[i].kind;
        const bool word = kind == Step::Kind::name || kind == Step::Kind::id;
        const bool last = i + 1 == form.call.size();
        EXPECT_FALSE(last && (word || kind == Step::Kind::space)) << source;
        EXPECT_FALSE(word && !last && form.call[i + 1].kind == Step::Kind::space) << source;
      }
    }
  }
}

TEST(Dialect, marks_are_told_so_that_special_tokens_can_be_spelled_out) {
  const auto marks = dialect_of(mistral_v11_marks).marks();
  for (const std::string_view mark : {"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "<think>"})
    EXPECT_NE(std::find(marks.begin(), marks.end(), mark), marks.end()) << mark;
}

TEST(CallIds, ids_have_the_form_that_clients_and_templates_want) {
  EXPECT_EQ(make_call_id(CallIds::prefixed, 1).size(), 13u);
  EXPECT_EQ(make_call_id(CallIds::prefixed, 1).substr(0, 5), "call_");
  EXPECT_EQ(make_call_id(CallIds::nine_alphanumeric, 1).size(), 9u);
  EXPECT_NE(make_call_id(CallIds::prefixed, 1), make_call_id(CallIds::prefixed, 2));
  EXPECT_EQ(make_call_id(CallIds::prefixed, 7), make_call_id(CallIds::prefixed, 7));
}

std::string read_error(std::string_view tools) {
  const auto read = read_tools(json::parse(tools)->as_array());
  return read ? "" : read.error().message;
}

TEST(ReadTools, both_spellings_are_taken_and_mistakes_are_named) {
  const auto read =
      read_tools(json::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {"a": 1}}}, {"name": "g"}])")->as_array());
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[0].name, "f");
  EXPECT_TRUE((*read)[0].parameters.is_object());
  EXPECT_EQ((*read)[1].name, "g");
  EXPECT_TRUE((*read)[1].parameters.is_null());
  EXPECT_EQ(read_error("[1]"), "tools[0]: expected an object");
  EXPECT_EQ(read_error(R"([{"type": "retrieval", "function": {"name": "f"}}])"),
            "tools[0].type: expected \"function\", which is the only kind there is");
  EXPECT_EQ(read_error(R"([{"function": {"name": ""}}])"), "tools[0].function.name: expected a string of 1 to 256 bytes");
  EXPECT_EQ(read_error(R"([{"name": "f"}, {"name": "f"}])"), "tools[1].function.name: 'f' is there twice");
  EXPECT_EQ(read_error(R"([{"name": "f", "parameters": []}])"), "tools[0].function.parameters: expected a JSON Schema, an object");
}

}  // namespace
}  // namespace qn::text
