#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "cli/program.h"
#include "unit/file/temporary_folder.h"

namespace qn::cli {
namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Outcome run(std::vector<std::string> args, std::string input = "") {
  char *out = nullptr, *err = nullptr;
  std::size_t out_size = 0, err_size = 0;
  Io io{input.empty() ? std::fopen("/dev/null", "r") : fmemopen(input.data(), input.size(), "r"), open_memstream(&out, &out_size),
        open_memstream(&err, &err_size)};
  args.insert(args.begin(), {"quern", "tokenize"});
  const int code = run_program(args, io);
  for (std::FILE* file : {io.in, io.out, io.err}) std::fclose(file);
  Outcome outcome{code, {out, out_size}, {err, err_size}};
  std::free(out);
  std::free(err);
  return outcome;
}

// A folder with a vocabulary of three letters, two of which merge.
class Tokenize : public ::testing::Test {
 protected:
  Tokenize() {
    std::ofstream(folder / "tokenizer.json") << R"({"added_tokens": [{"id": 4, "content": "<s>", "special": true}],
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "s": 3, "Ċ": 5}, "merges": ["a b"]}})";
    std::ofstream(folder / "tokenizer_config.json") << R"({"bos_token": "<s>", "add_bos_token": true})";
    std::ofstream(folder / "text.txt") << "abab";
  }
  file::TemporaryFolder temporary;  // its own: tests run beside each other
  const std::filesystem::path folder = temporary.path();
};

TEST_F(Tokenize, shows_each_token_on_a_line) {
  const Outcome outcome = run({folder, "ab\nb"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, "     4 -> '<s>'\n     2 -> 'ab'\n     5 -> '\\x0a'\n     1 -> 'b'\n");
}

TEST_F(Tokenize, ids_and_their_count_are_to_be_had_alone) {
  EXPECT_EQ(run({folder / "tokenizer.json", "abb", "--ids", "--show-count"}).out, "[4, 2, 1]\nTotal number of tokens: 3\n");
}

TEST_F(Tokenize, the_first_token_and_special_tokens_can_be_left_out) {
  EXPECT_EQ(run({folder, "a<s>", "--ids", "--no-bos"}).out, "[0, 4]\n");
  EXPECT_EQ(run({folder, "a<s>", "--ids", "--no-bos", "--no-parse-special"}).out, "[0, 3]\n");
}

TEST_F(Tokenize, text_comes_from_a_file_or_from_standard_input) {
  EXPECT_EQ(run({folder, "-f", folder / "text.txt", "--ids", "--no-bos"}).out, "[2, 2]\n");
  EXPECT_EQ(run({folder, "--stdin", "--ids", "--no-bos"}, "ba").out, "[1, 0]\n");
  EXPECT_EQ(run({folder, "--ids", "--no-bos"}, "ba").out, "[1, 0]\n");
}

TEST_F(Tokenize, two_places_for_the_text_are_wrong_usage) {
  const Outcome outcome = run({folder, "a", "--stdin"});
  EXPECT_EQ(outcome.code, exit_usage);
  EXPECT_NE(outcome.err.find("the text comes from one place"), std::string::npos) << outcome.err;
}

TEST_F(Tokenize, a_missing_vocabulary_is_named) {
  const Outcome outcome = run({folder / "absent.json", "a"});
  EXPECT_NE(outcome.code, exit_ok);
  EXPECT_NE(outcome.err.find("absent.json"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace qn::cli
