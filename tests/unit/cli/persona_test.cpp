#include "cli/persona.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace qn::cli {
namespace {

const Persona& llama_cli() {
  static const std::vector<Persona> personas = all_personas();
  return *std::find_if(personas.begin(), personas.end(), [](const Persona& p) { return p.tool == "llama-cli"; });
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Result<Translation> as_llama_cli(const std::vector<std::string>& args) {
  return translate(llama_cli(), args);
}

TEST(Persona, the_published_line_of_llama_cli_becomes_ours) {
  const auto ours =
      as_llama_cli({"--model", "x.gguf", "--cache-type-k", "q4_0", "--threads", "64", "--prio", "2", "--temp", "0.6", "--ctx-size", "512",
                    "--seed", "3407", "--n-gpu-layers", "0", "-no-cnv", "--prompt", "<｜User｜>你好<｜Assistant｜>"});
  ASSERT_TRUE(ours) << ours.error().message;
  for (std::string_view flag : {"--model=x.gguf", "--cache-type-k=q4_0", "--threads=64", "--temp=0.6", "--ctx=512", "--seed=3407",
                                "--prio=2", "--n-gpu-layers=0", "--raw", "--prompt=<｜User｜>你好<｜Assistant｜>"})
    EXPECT_TRUE(contains(ours->args, flag)) << flag;
  EXPECT_TRUE(ours->notes.empty());
}

TEST(Persona, short_and_long_names_and_both_ways_of_values_mean_the_same) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"-c", "4096"}, {"--ctx-size", "4096"}, {"--ctx-size=4096"}}) {
    const auto ours = as_llama_cli(args);
    ASSERT_TRUE(ours);
    EXPECT_TRUE(contains(ours->args, "--ctx=4096"));
  }
}

TEST(Persona, flash_attention_takes_a_value_or_none) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-fa"}, {"--flash-attn", "on"}, {"-fa", "auto"}, {"--flash-attn=off"}}) {
    const auto ours = as_llama_cli(args);
    ASSERT_TRUE(ours) << ours.error().message;
    EXPECT_EQ(ours->notes.size(), 1u);
  }
  EXPECT_TRUE(contains(as_llama_cli({"-fa", "-c", "1"})->args, "--ctx=1"));
}

TEST(Persona, an_unknown_flag_names_the_nearest_one) {
  const auto ours = as_llama_cli({"--ctx-sise", "512"});
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().message, "'--ctx-sise': unknown flag of llama-cli; did you mean --ctx-size?");
}

TEST(Persona, a_missing_value_is_named) {
  const auto ours = as_llama_cli({"-m"});
  ASSERT_FALSE(ours);
  EXPECT_NE(ours.error().message.find("-m: a value is missing"), std::string::npos);
}

TEST(Persona, a_value_may_begin_with_a_dash) {
  const auto ours = as_llama_cli({"-n", "-1", "-p", "--not a flag"});
  ASSERT_TRUE(ours);
  EXPECT_TRUE(contains(ours->args, "--predict=-1"));
  EXPECT_TRUE(contains(ours->args, "--prompt=--not a flag"));
}

TEST(Persona, a_flag_that_would_change_the_answer_unseen_is_refused) {
  const auto ours = as_llama_cli({"--grammar", "root ::= \"a\""});
  ASSERT_FALSE(ours);
  EXPECT_EQ(ours.error().code, Code::unsupported);
}

TEST(Persona, a_flag_without_effect_is_reported_once) {
  const auto ours = as_llama_cli({"--no-host", "--no-host", "--jinja"});
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->notes.size(), 2u);
}

TEST(Persona, no_flag_is_listed_twice_and_every_row_says_what_it_does) {
  for (const Persona& persona : all_personas()) {
    std::set<std::string> seen;
    for (const PersonaFlag& flag : persona.flags) {
      std::string_view names = flag.names;
      while (!names.empty()) {
        const std::size_t end = std::min(names.find(' '), names.size());
        EXPECT_TRUE(seen.insert(std::string(names.substr(0, end))).second) << names.substr(0, end);
        EXPECT_TRUE(names.starts_with('-')) << flag.names;
        names.remove_prefix(std::min(end + 1, names.size()));
      }
      EXPECT_EQ(flag.treatment == Treatment::map, !flag.becomes.empty()) << flag.names;
      EXPECT_EQ(flag.treatment == Treatment::map, flag.remark.empty()) << flag.names;
      EXPECT_EQ(flag.takes == Takes::optional_value, !flag.choices.empty()) << flag.names;
    }
  }
}

TEST(Persona, tools_that_are_not_answered_yet_say_so) {
  EXPECT_TRUE(tool_not_offered("modelscope"));
  EXPECT_TRUE(command_not_offered("ollama", "pull"));
  EXPECT_FALSE(command_not_offered("ollama", "serve"));
  EXPECT_FALSE(tool_not_offered("quern"));
}

}  // namespace
}  // namespace qn::cli
