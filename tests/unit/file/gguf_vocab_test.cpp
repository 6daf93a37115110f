#include <gtest/gtest.h>

#include <algorithm>

#include "file/checkpoint.h"

namespace qn::file {
namespace {

using text::PreSplit;

using Entry = std::pair<std::string, MetaValue>;
using Entries = std::vector<Entry>;

// Keys named without their "tokenizer.ggml."; a later entry replaces an earlier one, an empty key name in `removed` is none.
Metadata vocabulary(const Entries& changes = {}, const std::string& removed = {}) {
  Entries entries = {
      {"model", std::string("gpt2")},
      {"pre", std::string("qwen2")},
      {"tokens", ArrayOf<std::string>{{"a", "b", "ab", "<think>", "<|im_end|>", "<|endoftext|>", "[PAD6]"}}},
      {"token_type", ArrayOf<std::int32_t>{{1, 1, 1, 4, 3, 3, 5}}},
      {"merges", ArrayOf<std::string>{{"a b"}}},
      {"scores", ArrayOf<float>{{0, -1, -2, 0, 0, 0, 0}}},
      {"bos_token_id", std::uint32_t{5}},
      {"eos_token_id", std::uint32_t{5}},
      {"padding_token_id", std::uint32_t{0xffffffff}},
  };
  for (const Entry& change : changes) {
    const auto there = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.first == change.first; });
    if (there == entries.end())
      entries.push_back(change);
    else
      there->second = change.second;
  }
  Metadata metadata;
  for (const auto& [key, value] : entries)
    if (key != removed) metadata.set("tokenizer.ggml." + key, value);
  return metadata;
}

TEST(GgufVocab, a_qwen_vocabulary_is_read_whole) {
  const auto vocab = read_vocab(vocabulary());
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->kind, text::VocabKind::byte_level_bpe);
  EXPECT_EQ(vocab->pre_split, PreSplit::qwen2);
  EXPECT_TRUE(vocab->nfc);
  EXPECT_FALSE(vocab->ignore_merges);
  EXPECT_FALSE(vocab->add_bos);
  EXPECT_EQ(vocab->bos, 5);
  EXPECT_EQ(vocab->padding, -1);
  EXPECT_EQ(vocab->types[6], text::TokenType::unused);
  EXPECT_EQ(vocab->merges, (std::vector<std::pair<std::string, std::string>>{{"a", "b"}}));
  ASSERT_EQ(vocab->added.size(), 3u);
  EXPECT_EQ(vocab->added[0].text, "<think>");
  EXPECT_FALSE(vocab->added[0].special);
  EXPECT_TRUE(vocab->added[1].special);
}

TEST(GgufVocab, every_known_end_of_a_turn_is_found_once) {
  const auto vocab = read_vocab(vocabulary({{"eot_token_id", std::uint32_t{4}}, {"eom_token_id", std::uint32_t{2}}}));
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->end_of_turn, (std::vector<TokenId>{2, 4, 5}));
}

TEST(GgufVocab, an_end_of_turn_text_counts_only_as_a_control_token) {
  const auto vocab = read_vocab(vocabulary({{"token_type", ArrayOf<std::int32_t>{{1, 1, 1, 4, 1, 3, 5}}}}));
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->end_of_turn, (std::vector<TokenId>{5}));
}

TEST(GgufVocab, a_merge_is_split_at_the_first_space_after_its_first_byte) {
  const auto vocab = read_vocab(vocabulary({{"merges", ArrayOf<std::string>{{"  b", "a b c"}}}}));
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->merges, (std::vector<std::pair<std::string, std::string>>{{" ", "b"}, {"a", "b c"}}));
}

TEST(GgufVocab, the_name_of_a_pre_tokenizer_decides_what_gguf_cannot_say) {
  struct Row {
    const char* name;
    PreSplit split;
    bool nfc, ignore_merges, add_bos;
  };
  const Row rows[] = {
      {"qwen2", PreSplit::qwen2, true, false, false},
      {"deepseek-r1-qwen", PreSplit::qwen2, false, false, false},
      {"llama-bpe", PreSplit::llama3, false, true, true},
      {"deepseek-llm", PreSplit::deepseek_llm, false, false, false},
      {"deepseek-v3", PreSplit::deepseek_v3, false, false, false},
      {"gpt-2", PreSplit::gpt2, false, false, false},
      {"default", PreSplit::gpt2, false, false, false},
  };
  for (const Row& row : rows) {
    const auto vocab = read_vocab(vocabulary({{"pre", std::string(row.name)}}));
    ASSERT_TRUE(vocab) << vocab.error().message;
    EXPECT_EQ(vocab->pre_split, row.split) << row.name;
    EXPECT_EQ(vocab->nfc, row.nfc) << row.name;
    EXPECT_EQ(vocab->ignore_merges, row.ignore_merges) << row.name;
    EXPECT_EQ(vocab->add_bos, row.add_bos) << row.name;
  }
}

TEST(GgufVocab, flags_of_the_file_win_over_defaults) {
  const auto vocab = read_vocab(
      vocabulary({{"pre", std::string("llama-bpe")}, {"add_bos_token", false}, {"add_eos_token", true}, {"add_space_prefix", false}}));
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_FALSE(vocab->add_bos);
  EXPECT_TRUE(vocab->add_eos);
  EXPECT_FALSE(vocab->add_space_prefix);
}

TEST(GgufVocab, a_sentencepiece_vocabulary_has_its_trainers_defaults) {
  const auto vocab = read_vocab(vocabulary({{"model", std::string("llama")}, {"eos_token_id", std::int32_t{-1}}}, "bos_token_id"));
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->kind, text::VocabKind::sentencepiece_bpe);
  EXPECT_EQ(vocab->bos, 1);
  EXPECT_EQ(vocab->eos, -1);
  EXPECT_EQ(vocab->unknown, 0);
  EXPECT_TRUE(vocab->add_bos);
  EXPECT_TRUE(vocab->add_space_prefix);
  EXPECT_EQ(vocab->scores.size(), 7u);
}

struct Violation {
  const char* rule;
  Code code;
  const char* words;
  Entries changes;
  std::string removed = {};
};

void PrintTo(const Violation& violation, std::ostream* out) {
  *out << violation.rule;
}

const Violation violations[] = {
    {"no_tokenizer", Code::bad_input, "the file has no tokenizer", {}, "model"},
    {"no_tokens", Code::bad_input, "the file has no vocabulary", {}, "tokens"},
    {"no_merges", Code::bad_input, "tokenizer.ggml.merges': it is missing", {}, "merges"},
    {"empty_tokens", Code::bad_input, "the file has no vocabulary", {{"tokens", ArrayOf<std::string>{}}}},
    {"another_model", Code::unsupported, "'bert' are not known to this version; known are gpt2, llama", {{"model", std::string("bert")}}},
    {"a_model_that_is_no_text", Code::bad_input, "expected text, found an integer", {{"model", std::uint32_t{1}}}},
    {"another_pre_tokenizer",
     Code::unsupported,
     "'qwen35' is not known to this version; known are qwen2",
     {{"pre", std::string("qwen35")}}},
    {"tokens_of_numbers",
     Code::bad_input,
     "expected an array (text), found an array (an integer)",
     {{"tokens", ArrayOf<std::int32_t>{{1}}}}},
    {"types_of_floats", Code::bad_input, "expected an array (an integer)", {{"token_type", ArrayOf<float>{{1}}}}},
    {"too_few_types", Code::bad_input, "6 entries for 7 tokens", {{"token_type", ArrayOf<std::int32_t>{{1, 1, 1, 4, 3, 3}}}}},
    {"an_unknown_type", Code::bad_input, "token 1 has type 7", {{"token_type", ArrayOf<std::int32_t>{{1, 7, 1, 4, 3, 3, 5}}}}},
    {"a_negative_type", Code::bad_input, "token 0 has type -1", {{"token_type", ArrayOf<std::int32_t>{{-1, 1, 1, 4, 3, 3, 5}}}}},
    {"too_few_scores", Code::bad_input, "1 entries for 7 tokens", {{"model", std::string("llama")}, {"scores", ArrayOf<float>{{1}}}}},
    {"no_scores", Code::bad_input, "0 entries for 7 tokens", {{"model", std::string("llama")}}, "scores"},
    {"a_merge_of_one_part", Code::bad_input, "merge 1, 'ab', is not two parts", {{"merges", ArrayOf<std::string>{{"a b", "ab"}}}}},
    {"a_merge_with_nothing_after_the_space", Code::bad_input, "merge 0", {{"merges", ArrayOf<std::string>{{"a "}}}}},
    {"an_empty_merge", Code::bad_input, "merge 0, ''", {{"merges", ArrayOf<std::string>{{""}}}}},
    {"an_id_past_the_vocabulary", Code::bad_input, "token 7 is not in the vocabulary of 7", {{"eos_token_id", std::uint32_t{7}}}},
    {"a_negative_id", Code::bad_input, "token -2 is not in", {{"bos_token_id", std::int32_t{-2}}}},
    {"an_id_that_is_text", Code::bad_input, "expected an integer, found text", {{"eot_token_id", std::string("4")}}},
    {"a_flag_that_is_a_number", Code::bad_input, "expected a boolean, found an integer", {{"add_bos_token", std::uint8_t{1}}}},
};

class GgufVocabRule : public testing::TestWithParam<Violation> {};

TEST_P(GgufVocabRule, is_refused) {
  const auto vocab = read_vocab(vocabulary(GetParam().changes, GetParam().removed));
  ASSERT_FALSE(vocab);
  EXPECT_EQ(vocab.error().code, GetParam().code) << vocab.error().message;
  EXPECT_NE(vocab.error().message.find(GetParam().words), std::string::npos) << vocab.error().message;
  EXPECT_TRUE(vocab.error().message.starts_with("metadata key 'tokenizer.ggml.")) << vocab.error().message;
}

INSTANTIATE_TEST_SUITE_P(Gguf, GgufVocabRule, testing::ValuesIn(violations),
                         [](const testing::TestParamInfo<Violation>& violation) { return std::string(violation.param.rule); });

}  // namespace
}  // namespace qn::file
