#include "file/log_probabilities.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/file/gguf_sketch.h"
#include "unit/file/temporary_folder.h"

namespace qn::file {
namespace {

constexpr int window = 8, vocab = 5;  // an odd vocabulary: rows are padded
const std::vector<TokenId> tokens = {0, 1, 2, 3, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1};

std::vector<float> logits(int row) {
  return {0.1f * static_cast<float>(row), 1, -2, 3, -100};
}

void write_file(const std::filesystem::path& path) {
  auto writer = LogProbabilityWriter::create(path, window, vocab, tokens);
  ASSERT_TRUE(writer);
  for (int row = 0; row < 6; ++row) ASSERT_TRUE(writer->add(logits(row)));  // (8 - 1 - 4) x 2
  ASSERT_TRUE(writer->finish());
}

TEST(LogProbabilities, rows_read_back_within_a_step_and_unlikely_ones_are_cut_at_e_to_minus_16) {
  const TemporaryFolder folder;
  write_file(folder / "base");
  const auto base = LogProbabilities::open(folder / "base");
  ASSERT_TRUE(base) << base.error().message;
  EXPECT_EQ(base->window_tokens(), window);
  EXPECT_EQ(base->windows(), 2);
  EXPECT_TRUE(std::equal(tokens.begin(), tokens.end(), base->tokens().begin(), base->tokens().end()));
  std::vector<float> row(vocab);
  for (int index = 0; index < 6; ++index) {
    base->row(index / 3, 4 + index % 3, row);
    const std::vector<float> given = logits(index);
    double sum = 0;
    for (const float logit : given) sum += std::exp(static_cast<double>(logit));
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(row[static_cast<std::size_t>(i)], given[static_cast<std::size_t>(i)] - std::log(sum), 3e-4);
    EXPECT_NEAR(row[4], 3 - 16 - std::log(sum), 3e-4);
  }
}

TEST(LogProbabilities, a_damaged_file_is_refused) {
  const TemporaryFolder folder;
  write_file(folder / "base");
  const auto map = MappedFile::open(folder / "base");
  const std::string image(reinterpret_cast<const char*>(map->bytes().data()), map->bytes().size());
  ASSERT_TRUE(LogProbabilities::parse(bytes_of(image), "base"));
  for (std::size_t size = 0; size < image.size(); ++size)
    EXPECT_FALSE(LogProbabilities::parse(bytes_of(image).first(size), "base")) << size;
  for (const std::size_t at : {0u, 11u, 12u, 15u, 16u, 19u, 20u}) {  // magic, the three numbers, a token
    std::string wrong = image;
    wrong[at] = static_cast<char>(wrong[at] ^ 0xc0);
    EXPECT_FALSE(LogProbabilities::parse(bytes_of(wrong), "base")) << at;
  }
}

}  // namespace
}  // namespace qn::file
