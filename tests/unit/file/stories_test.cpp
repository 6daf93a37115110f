// A real file, written by others: the trained model of the shared test data.
#include <gtest/gtest.h>

#include <filesystem>

#include "file/checkpoint.h"

namespace qn::file {
namespace {

const std::filesystem::path stories = std::filesystem::path(QN_SHARED_DATA) / "stories260K.gguf";

TEST(Stories, the_real_file_is_read_right) {
  if (!std::filesystem::exists(stories)) GTEST_SKIP() << "skipped: no " << stories;
  const auto model = open_gguf(stories);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->tensors.size(), 48u);
  EXPECT_EQ(model->file_bytes, 1'185'376u);
  EXPECT_EQ(model->metadata.integer("llama.block_count").value(), 5);
  EXPECT_FLOAT_EQ(static_cast<float>(model->metadata.number("llama.attention.layer_norm_rms_epsilon").value().value()), 1e-5f);
  const TensorEntry* embedding = model->find("token_embd.weight");
  ASSERT_NE(embedding, nullptr);
  EXPECT_EQ(embedding->format->name, "F32");
  EXPECT_EQ(embedding->shape, (std::vector<std::int64_t>{64, 512}));
  EXPECT_EQ(embedding->bytes.data() - model->maps[0]->bytes().data(), 14'176);
  EXPECT_EQ(embedding->bytes.size(), 64u * 512 * 4);
  EXPECT_EQ(model->find("no.such.tensor"), nullptr);
}

TEST(Stories, the_vocabulary_is_sentencepiece_with_byte_fallback) {
  if (!std::filesystem::exists(stories)) GTEST_SKIP() << "skipped: no " << stories;
  const auto model = open_gguf(stories);
  ASSERT_TRUE(model) << model.error().message;
  const auto vocab = read_vocab(model->metadata);
  ASSERT_TRUE(vocab) << vocab.error().message;
  EXPECT_EQ(vocab->kind, text::VocabKind::sentencepiece_bpe);
  EXPECT_EQ(vocab->tokens.size(), 512u);
  EXPECT_EQ(vocab->tokens[2], "</s>");
  EXPECT_EQ(vocab->types[10], text::TokenType::byte);
  EXPECT_EQ(vocab->scores.size(), 512u);
  EXPECT_EQ(vocab->bos, 1);
  EXPECT_EQ(vocab->eos, 2);
  EXPECT_EQ(vocab->unknown, 0);
  EXPECT_EQ(vocab->padding, -1);  // 0xffffffff in the file
  EXPECT_TRUE(vocab->add_bos);
  EXPECT_EQ(vocab->end_of_turn, std::vector<TokenId>{2});
}

}  // namespace
}  // namespace qn::file
