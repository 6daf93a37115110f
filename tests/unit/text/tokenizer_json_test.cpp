#include "text/tokenizer/tokenizer_json.h"

#include <gtest/gtest.h>

#include "text/tokenizer/tokenizer.h"

namespace qn::text {
namespace {

constexpr std::string_view byte_level_file = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [
    {"id": 4, "content": "<|im_end|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
    {"id": 5, "content": "<think>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": false}],
  "normalizer": {"type": "NFC"},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}"}, "behavior": "Isolated", "invert": false},
    {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
  "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": false},
  "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
  "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false,
    "byte_fallback": false, "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3}, "merges": ["a b"]}
})";

constexpr std::string_view sentencepiece_file = R"({
  "added_tokens": [{"id": 0, "content": "<unk>", "special": true, "normalized": false}, {"id": 1, "content": "<s>", "special": true}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                     {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
  "pre_tokenizer": null,
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                     "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                               {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
    "vocab": {"<unk>": 0, "<s>": 1, "<0x0A>": 2, "▁": 3, "a": 4, "▁a": 5}, "merges": [["▁", "a"]]}
})";

std::string with(std::string_view file, std::string_view what, std::string_view replacement) {
  std::string out(file);
  const std::size_t at = out.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return out.replace(at, what.size(), replacement);
}

std::string error_of(std::string_view file, std::string_view config = "") {
  auto spec = read_tokenizer_json(file, config);
  if (!spec) return spec.error().message;
  const auto tokenizer = Tokenizer::make(*std::move(spec));
  return tokenizer ? "accepted" : tokenizer.error().message;
}

TEST(TokenizerJson, a_byte_level_file_becomes_a_vocabulary) {
  const auto spec = read_tokenizer_json(byte_level_file, "");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->kind, VocabKind::byte_level_bpe);
  EXPECT_EQ(spec->tokens, (std::vector<std::string>{"a", "b", "ab", "Ġ", "<|im_end|>", "<think>"}));
  EXPECT_TRUE(spec->nfc);
  EXPECT_EQ(spec->pre_split, PreSplit::patterns);
  EXPECT_EQ(spec->patterns, std::vector<std::string>{"\\p{N}{1,3}"});
  EXPECT_EQ(spec->end_of_turn, std::vector<TokenId>{4});
  EXPECT_FALSE(spec->add_bos);
  const auto tokenizer = Tokenizer::make(*spec);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ab a<|im_end|><think>", {}), (std::vector<TokenId>{2, 3, 0, 4, 5}));
  EXPECT_TRUE(tokenizer->ends_reply(4));
  EXPECT_FALSE(tokenizer->is_special(5));
}

TEST(TokenizerJson, a_sentencepiece_file_becomes_a_vocabulary) {
  const auto spec = read_tokenizer_json(sentencepiece_file, "");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->kind, VocabKind::sentencepiece_bpe);
  EXPECT_TRUE(spec->add_bos && spec->bos == 1 && spec->unknown == 0);
  const auto tokenizer = Tokenizer::make(*spec);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("a a\nx", {.add_bos = true}), (std::vector<TokenId>{1, 5, 5, 2, 0}));
  EXPECT_EQ(tokenizer->decode(std::vector<TokenId>{1, 5, 5, 2}, false), "a a\n");
}

TEST(TokenizerJson, the_config_names_tokens_and_the_post_processor_decides_about_bos) {
  const std::string config = R"({"eos_token": {"content": "<|im_end|>"}, "pad_token": "<think>", "bos_token": "a", "add_bos_token": true})";
  const auto spec = read_tokenizer_json(byte_level_file, config);
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->eos, 4);
  EXPECT_EQ(spec->padding, 5);
  EXPECT_EQ(spec->bos, 0);
  EXPECT_FALSE(spec->add_bos);
  const std::string file =
      with(byte_level_file, R"({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": false})", "null");
  EXPECT_TRUE(read_tokenizer_json(file, config)->add_bos);
}

TEST(TokenizerJson, what_is_not_known_is_refused_by_name_and_place) {
  const std::string ours = "; use the model's GGUF file";
  EXPECT_EQ(error_of(with(byte_level_file, R"("type": "BPE")", R"("type": "Unigram")")),
            "tokenizer.json: model: 'Unigram' is not supported by this version" + ours);
  EXPECT_EQ(error_of(with(byte_level_file, R"({"type": "NFC"})", R"({"type": "Lowercase"})")),
            "tokenizer.json: normalizer: 'Lowercase' is not supported by this version" + ours);
  EXPECT_EQ(error_of(with(byte_level_file, R"("behavior": "Isolated")", R"("behavior": "MergedWithNext")")),
            "tokenizer.json: pre_tokenizer.pretokenizers[0]: 'Split with behavior MergedWithNext' is not supported by this version" + ours);
  EXPECT_EQ(error_of(with(byte_level_file, R"("dropout": null)", R"("dropout": 0.1)")),
            "tokenizer.json: model.dropout: 'dropout' is not supported by this version" + ours);
  EXPECT_EQ(error_of(with(byte_level_file, R"("decoder": {"type": "ByteLevel")", R"("decoder": {"type": "WordPiece")")),
            "tokenizer.json: decoder: 'WordPiece' is not supported by this version" + ours);
}

TEST(TokenizerJson, what_is_wrong_is_said_with_its_path) {
  EXPECT_EQ(error_of("[]"), "tokenizer.json: expected object, got array; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"("b": 1)", R"("b": "1")")),
            "tokenizer.json: model.vocab: the id of 'b' is not an integer; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"("b": 1)", R"("b": 2)")),
            "tokenizer.json: model.vocab: id 2 is both 'b' and 'ab'; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"("b": 1)", R"("b": 2000000000)")),
            "tokenizer.json: model.vocab: id 2000000000 of 'b', in a vocabulary of 6; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"("b": 1)", R"("b": -1)")),
            "tokenizer.json: model.vocab: id -1 of 'b', in a vocabulary of 6; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"(["a b"])", R"(["ab"])")),
            "tokenizer.json: model.merges: entry 0 is neither \"a b\" nor [\"a\", \"b\"]; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"(["a b"])", R"(["b a"])")), "merges[0]: 'ba' is no token of the vocabulary; correct the file");
  EXPECT_EQ(error_of(with(byte_level_file, R"("id": 5)", R"("id": 4)")),
            "tokenizer.json: added_tokens[1]: id 4 is both '<|im_end|>' and '<think>'; correct the file");
  EXPECT_EQ(error_of(with(sentencepiece_file, R"("unk_token": "<unk>")", R"("unk_token": "?")")),
            "tokenizer.json: model.unk_token: '?' is not in the vocabulary; correct the file");
  EXPECT_EQ(error_of(with(sentencepiece_file, R"("ids": [1])", R"("ids": [99])")),
            "tokenizer.json: post_processor.special_tokens.<s>.ids: id 99, there are 6 tokens; correct the file");
}

TEST(TokenizerJson, any_beginning_of_a_file_is_an_error_and_nothing_worse) {
  for (const std::string_view file : {byte_level_file, sentencepiece_file})
    for (std::size_t bytes = 0; bytes < file.size(); ++bytes) EXPECT_FALSE(read_tokenizer_json(file.substr(0, bytes), ""));
}

}  // namespace
}  // namespace qn::text
