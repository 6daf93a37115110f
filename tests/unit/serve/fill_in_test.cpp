#include "serve/fill_in.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "file/checkpoint.h"

namespace qn::serve {
namespace {

// Plain letters, and marks under whatever texts a test likes.
text::Tokenizer tokenizer_with(std::vector<std::string> marks) {
  text::VocabSpec spec;
  for (char c = 'a'; c <= 'z'; ++c) spec.tokens.emplace_back(1, c);
  spec.tokens.emplace_back("Ċ");  // the line end of the byte alphabet
  spec.types.assign(spec.tokens.size(), text::TokenType::normal);
  for (std::string& mark : marks) {
    const auto id = static_cast<TokenId>(spec.tokens.size());
    spec.tokens.push_back(mark);
    spec.types.push_back(text::TokenType::control);
    spec.added.push_back({.id = id, .text = std::move(mark), .special = true});
  }
  return *text::Tokenizer::make(std::move(spec));
}

std::string shown(const std::vector<TokenId>& tokens, const text::Tokenizer& tokenizer) {
  return tokenizer.decode(tokens, true);
}

TEST(FillIn, marks_are_found_under_the_names_that_families_gave_them) {
  const text::Tokenizer qwen = tokenizer_with({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>"});
  const FillMarks marks = find_fill_marks({}, qwen);
  EXPECT_TRUE(marks.complete());
  EXPECT_EQ(marks.repository, qwen.find("<|repo_name|>"));
  EXPECT_EQ(marks.file, qwen.find("<|file_sep|>"));
  EXPECT_TRUE(find_fill_marks({}, tokenizer_with({"<PRE>", "<SUF>", "<MID>"})).complete());
  EXPECT_TRUE(find_fill_marks({}, tokenizer_with({"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"})).complete());
  EXPECT_FALSE(find_fill_marks({}, tokenizer_with({"<PRE>", "<SUF>"})).complete());
}

TEST(FillIn, the_files_keys_come_before_names) {
  const text::Tokenizer tokenizer = tokenizer_with({"<PRE>", "<SUF>", "<MID>", "<other>"});
  file::Metadata metadata;
  metadata.set("tokenizer.ggml.fim_pre_token_id", static_cast<std::uint32_t>(tokenizer.find("<other>")));
  metadata.set("tokenizer.ggml.fim_suf_token_id", std::uint32_t{1'000'000});  // no token: the name counts
  const FillMarks marks = find_fill_marks(metadata, tokenizer);
  EXPECT_EQ(marks.prefix, tokenizer.find("<other>"));
  EXPECT_EQ(marks.suffix, tokenizer.find("<SUF>"));
}

TEST(FillIn, the_prompt_ends_in_the_middle) {
  const text::Tokenizer tokenizer = tokenizer_with({"<PRE>", "<SUF>", "<MID>"});
  const auto tokens = fill_in_tokens({.prefix = "ab", .suffix = "cd", .prompt = "x"}, find_fill_marks({}, tokenizer), tokenizer);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(shown(*tokens, tokenizer), "<PRE>ab<SUF>cd<MID>x");
}

TEST(FillIn, other_files_come_first_under_their_names) {
  const text::Tokenizer tokenizer = tokenizer_with({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>"});
  const auto tokens = fill_in_tokens({.files = {{"one", "abc"}}, .prefix = "p", .suffix = "s"}, find_fill_marks({}, tokenizer), tokenizer);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(shown(*tokens, tokenizer),
            "<|repo_name|>myproject\n<|file_sep|>one\nabc<|file_sep|>filename\n<|fim_prefix|>p<|fim_suffix|>s<|fim_middle|>");
}

TEST(FillIn, a_mark_written_in_a_text_is_no_mark) {
  const text::Tokenizer tokenizer = tokenizer_with({"<PRE>", "<SUF>", "<MID>"});
  const auto tokens = fill_in_tokens({.prefix = "a<MID>b", .suffix = ""}, find_fill_marks({}, tokenizer), tokenizer);
  ASSERT_TRUE(tokens);
  EXPECT_EQ(std::ranges::count(*tokens, tokenizer.find("<MID>")), 1);
}

TEST(FillIn, what_a_vocabulary_lacks_is_named) {
  const text::Tokenizer tokenizer = tokenizer_with({"<SUF>"});
  const auto tokens = fill_in_tokens({.prefix = "a", .suffix = "b"}, find_fill_marks({}, tokenizer), tokenizer);
  ASSERT_FALSE(tokens);
  EXPECT_EQ(tokens.error().code, Code::unsupported);
  EXPECT_EQ(tokens.error().message, "Infill is not supported by this model: prefix token is missing. middle token is missing. ");
}

}  // namespace
}  // namespace qn::serve
