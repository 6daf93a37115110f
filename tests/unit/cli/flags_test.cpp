#include <gtest/gtest.h>

#include "cli/chat/settings.h"
#include "cli/chat/statistics.h"
#include "cli/model_loader.h"
#include "cli/program.h"
#include "cli/run/run_chat.h"

namespace qn::cli {
namespace {

using std::chrono::nanoseconds;

struct Outcome {
  int code;
  std::string out, err;
};

// The program with the given arguments, no terminal and an empty standard input.
Outcome run(std::vector<std::string> args) {
  char *out = nullptr, *err = nullptr;
  std::size_t out_size = 0, err_size = 0;
  Io io{std::fopen("/dev/null", "r"), open_memstream(&out, &out_size), open_memstream(&err, &err_size)};
  args.insert(args.begin(), "quern");
  const int code = run_program(args, io);
  for (std::FILE* file : {io.in, io.out, io.err}) std::fclose(file);
  Outcome outcome{code, {out, out_size}, {err, err_size}};
  std::free(out);
  std::free(err);
  return outcome;
}

TEST(Program, the_version_is_one_line_on_stdout) {
  for (const char* flag : {"-v", "--version", "version"}) {
    const Outcome outcome = run({flag});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_TRUE(outcome.out.starts_with("quern version is "));
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(Program, help_lists_every_command_within_100_columns) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const Command& command : all_commands()) EXPECT_NE(outcome.out.find(command.name), std::string::npos) << command.name;
  std::size_t begin = 0;
  while (begin < outcome.out.size()) {
    const std::size_t end = outcome.out.find('\n', begin);
    EXPECT_LE(end - begin, 100u) << outcome.out.substr(begin, end - begin);
    begin = end + 1;
  }
}

TEST(Program, every_command_and_persona_explains_itself) {
  std::vector<std::string> names;
  for (const Command& command : all_commands()) names.emplace_back(command.name);
  for (const std::string& name : names) {
    const Outcome with_flag = run({name, "--help"}), by_command = run({"help", name});
    EXPECT_EQ(with_flag.code, 0) << name;
    EXPECT_EQ(with_flag.err, "") << name;
    EXPECT_FALSE(with_flag.out.empty()) << name;
    EXPECT_EQ(with_flag.out, by_command.out) << name;
  }
  EXPECT_EQ(run({"llama-cli", "--help"}).code, 0);
  EXPECT_EQ(run({"llama-cli", "--help"}).out, run({"help", "llama-cli"}).out);
}

TEST(Program, a_mistyped_command_or_flag_names_the_nearest_and_exits_2) {
  const Outcome command = run({"rnu"});
  EXPECT_EQ(command.code, 2);
  EXPECT_NE(command.err.find("did you mean run?"), std::string::npos) << command.err;
  const Outcome flag = run({"run", "--tmep", "0"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_NE(flag.err.find("did you mean --temp?"), std::string::npos) << flag.err;
  EXPECT_NE(flag.err.find("See 'quern run --help'"), std::string::npos) << flag.err;
  EXPECT_EQ(run({"--colour", "blue"}).code, 2);
}

TEST(Program, tools_that_are_not_answered_yet_exit_2) {
  EXPECT_EQ(run({"modelscope", "download", "x"}).code, 2);
}

TEST(RunFlags, a_value_out_of_range_names_its_flag) {
  const Outcome outcome = run({"run", "--temp", "-1", "hello"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("Error: --temp: ")) << outcome.err;
  EXPECT_EQ(run({"run", "--temp", "warm", "hello"}).code, 2);
  EXPECT_EQ(run({"run", "--ctx", "many", "hello"}).code, 2);
  EXPECT_EQ(run({"run", "--kv-type", "q3_x", "hello"}).code, 2);
  EXPECT_EQ(run({"run", "--logit-bias", "5", "hello"}).code, 2);
}

TEST(RunFlags, a_missing_or_senseless_value_is_named) {
  EXPECT_TRUE(run({"run", "--temp"}).err.starts_with("Error: --temp: a value is missing")) << run({"run", "--temp"}).err;
  const Outcome outcome = run({"run", "--threads", "x", "hello"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("Error: --threads: 'x'")) << outcome.err;
}

TEST(RunFlags, a_flag_takes_one_value_and_no_word_of_the_prompt) {
  for (const char* flag : {"--temp", "--seed", "-n", "--ctx", "--threads", "--system", "--stop", "--logit-bias"}) {
    const char* value = std::string_view(flag) == "--logit-bias" ? "1+1" : "1";
    const Outcome outcome = run({"run", flag, value, "./missing.gguf", "hello"});
    EXPECT_EQ(outcome.code, 1) << flag << outcome.err;
    EXPECT_NE(outcome.err.find("missing.gguf"), std::string::npos) << flag << outcome.err;
  }
}

TEST(RunFlags, a_flag_given_twice_takes_its_last_value) {
  const Outcome outcome = run({"run", "--temp", "hot", "--temp", "1", "-c", "4096", "-c", "many", "hello"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("Error: --temp: ")) << outcome.err;
  EXPECT_EQ(run({"run", "-c", "many", "-c", "64", "./missing.gguf", "hello"}).code, 1);
}

TEST(RunFlags, two_dashes_end_the_flags) {
  EXPECT_EQ(run({"run", "--", "./missing.gguf", "--temp"}).code, 1);
  EXPECT_EQ(run({"run", "./missing.gguf", "--", "-x", "--unknown"}).code, 1);
}

TEST(RunFlags, thinking_takes_a_value_behind_the_sign_only) {
  const Outcome outcome = run({"run", "--think=loud", "hello"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("invalid value for --think: \"loud\" (must be true, false, high, medium, low, or max)"), std::string::npos);
}

TEST(RunFlags, what_is_not_offered_yet_is_refused_by_name) {
  const Outcome outcome = run({"run", "--format", "json", "hello"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("Error: --format: ")) << outcome.err;
}

TEST(RunFlags, a_model_that_is_not_there_exits_1_with_its_name) {
  const Outcome outcome = run({"run", "./missing.gguf", "hello"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("./missing.gguf"), std::string::npos);
  EXPECT_EQ(run({"run", "qwen3:8b", "hello"}).code, 1);
  EXPECT_EQ(run({"run", "/dev/zero", "hello"}).code, 2);
}

TEST(RunFlags, no_prompt_and_no_terminal_is_wrong_usage) {
  EXPECT_EQ(run({"run"}).code, 2);
}

TEST(RunFlags, counts_have_decimal_and_binary_units) {
  EXPECT_EQ(read_count("--ctx", "4096"), 4096);
  EXPECT_EQ(read_count("--ctx", "1k"), 1000);
  EXPECT_EQ(read_count("--ctx", "1K"), 1024);
  EXPECT_EQ(read_count("--ctx", "25.6k"), 25600);
  for (const char* bad : {"", "k", "-1", "1.5", "99G", "12kk", "nan"}) EXPECT_FALSE(read_count("--ctx", bad)) << bad;
}

TEST(RunFlags, the_first_word_is_a_model_only_if_it_can_be_one) {
  EXPECT_EQ(classify("quern-mini"), WordKind::model);
  EXPECT_EQ(classify("hello"), WordKind::words);
  EXPECT_EQ(classify("what is this: a test"), WordKind::words);
  EXPECT_EQ(classify("./x.gguf"), WordKind::missing);
  EXPECT_EQ(classify("qwen3:8b"), WordKind::missing);
  EXPECT_EQ(classify("hf.co/someone/model"), WordKind::missing);
}

TEST(RunFlags, escapes_are_read) {
  EXPECT_EQ(unescaped("a\\nb\\t\\\"\\\\\\x41\\q\\"), "a\nb\t\"\\A\\q\\");
  EXPECT_EQ(unescaped("\\xZZ"), "\\xZZ");
}

TEST(Statistics, durations_print_as_go_prints_them) {
  EXPECT_EQ(go_duration(nanoseconds(5043500667)), "5.043500667s");
  EXPECT_EQ(go_duration(nanoseconds(25025959)), "25.025959ms");
  EXPECT_EQ(go_duration(nanoseconds(325953000)), "325.953ms");
  EXPECT_EQ(go_duration(nanoseconds(1500)), "1.5µs");
  EXPECT_EQ(go_duration(nanoseconds(62500000000)), "1m2.5s");
  EXPECT_EQ(go_duration(nanoseconds(3600000000000)), "1h0m0s");
  EXPECT_EQ(go_duration(nanoseconds(0)), "0s");
}

}  // namespace
}  // namespace qn::cli
