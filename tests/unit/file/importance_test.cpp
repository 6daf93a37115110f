#include "file/quantize/importance.h"

#include <gtest/gtest.h>

#include <limits>

#include "unit/file/gguf_sketch.h"
#include "unit/file/temporary_folder.h"

namespace qn::file {
namespace {

ImportanceMatrix two_entries() {
  ImportanceMatrix matrix;
  matrix.entries["blk.0.attn_q.weight"] = {{2, 4, 6}, {2}};
  matrix.entries["blk.0.ffn_up_exps.weight"] = {{1, 2, 3, 4}, {4, 0}};  // two experts, the second never asked
  matrix.datasets = {"text.txt"};
  matrix.chunks = 3;
  matrix.chunk_tokens = 2;
  return matrix;
}

TEST(ImportanceMatrix, means_divide_by_the_tokens_of_each_expert_and_are_1_where_there_were_none) {
  const ImportanceMatrix matrix = two_entries();
  EXPECT_EQ(matrix.entries.at("blk.0.attn_q.weight").means(), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(matrix.entries.at("blk.0.ffn_up_exps.weight").means(), (std::vector<float>{0.25f, 0.5f, 1, 1}));
}

TEST(ImportanceMatrix, the_gguf_form_reads_back_as_it_was_written) {
  const TemporaryFolder folder;
  const ImportanceMatrix matrix = two_entries();
  ASSERT_TRUE(write_importance_gguf(matrix, folder / "m.gguf"));
  const auto read = read_importance(folder / "m.gguf");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->datasets, matrix.datasets);
  EXPECT_EQ(read->chunks, 3);
  EXPECT_EQ(read->chunk_tokens, 2);
  ASSERT_EQ(read->entries.size(), 2u);
  for (const auto& [name, entry] : matrix.entries) {
    EXPECT_EQ(read->entries.at(name).sums, entry.sums) << name;
    EXPECT_EQ(read->entries.at(name).counts, entry.counts) << name;
  }
}

TEST(ImportanceMatrix, the_older_form_keeps_the_means) {
  const TemporaryFolder folder;
  const ImportanceMatrix matrix = two_entries();
  ASSERT_TRUE(write_importance_dat(matrix, folder / "m.dat"));
  const auto read = read_importance(folder / "m.dat");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->datasets, matrix.datasets);
  EXPECT_EQ(read->chunks, 3);
  for (const auto& [name, entry] : matrix.entries) EXPECT_EQ(read->entries.at(name).means(), entry.means()) << name;
}

TEST(ImportanceMatrix, matrices_of_two_texts_add_up) {
  ImportanceMatrix both = two_entries();
  ImportanceMatrix other = two_entries();
  other.entries["blk.1.attn_q.weight"] = {{5}, {1}};
  other.entries["blk.0.attn_q.weight"] = {{1, 1}, {1}};  // of another model: left out
  both.add(other);
  EXPECT_EQ(both.entries.at("blk.0.attn_q.weight").sums, (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(both.entries.at("blk.0.ffn_up_exps.weight").sums, (std::vector<float>{2, 4, 6, 8}));
  EXPECT_EQ(both.entries.at("blk.0.ffn_up_exps.weight").counts, (std::vector<float>{8, 0}));
  EXPECT_EQ(both.entries.count("blk.1.attn_q.weight"), 1u);
  EXPECT_EQ(both.chunks, 6);
  EXPECT_EQ(both.datasets.size(), 2u);
}

// One entry "w" with two values, in the older form.
Bytes one_entry(std::int32_t calls = 2, float second = 4) {
  Bytes out;
  out.put<std::int32_t>(1).put<std::int32_t>(1).raw("w").put(calls).put<std::int32_t>(2).f32(2).f32(second);
  return out;
}

TEST(ImportanceDat, files_without_a_trailer_are_read) {
  const std::string image = one_entry();
  const auto matrix = parse_importance_dat(bytes_of(image), "m.dat");
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->entries.at("w").means(), (std::vector<float>{1, 2}));
}

TEST(ImportanceDat, without_calls_the_values_are_means_already) {
  const std::string image = one_entry(0);
  EXPECT_EQ(parse_importance_dat(bytes_of(image), "m.dat")->entries.at("w").means(), (std::vector<float>{2, 4}));
}

TEST(ImportanceDat, a_file_cut_anywhere_is_refused_or_whole) {
  const std::string image = Bytes(one_entry()).put<std::int32_t>(7).put<std::int32_t>(4).raw("text");
  const std::size_t without_trailer = std::string(one_entry()).size();
  for (std::size_t size = 0; size < image.size(); ++size) {
    const bool whole = size == without_trailer || size == without_trailer + 4;
    EXPECT_EQ(parse_importance_dat(bytes_of(image).first(size), "m.dat").has_value(), whole) << size;
  }
  EXPECT_EQ(parse_importance_dat(bytes_of(image), "m.dat")->datasets, (std::vector<std::string>{"text"}));
}

TEST(ImportanceDat, values_that_are_no_sums_of_squares_are_refused_with_their_entry) {
  for (const float bad : {-1.0f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const std::string image = one_entry(1, bad);
    const auto matrix = parse_importance_dat(bytes_of(image), "m.dat");
    ASSERT_FALSE(matrix);
    EXPECT_NE(matrix.error().message.find("entry 'w'"), std::string::npos) << matrix.error().message;
  }
}

TEST(ImportanceDat, counts_larger_than_the_file_are_refused_before_anything_is_allocated) {
  const std::string entries = Bytes().put<std::int32_t>(1 << 20).put<std::int32_t>(1).raw("w");
  const std::string values =
      Bytes().put<std::int32_t>(1).put<std::int32_t>(1).raw("w").put<std::int32_t>(1).put<std::int32_t>(INT32_MAX).f32(1);
  const std::string name = Bytes().put<std::int32_t>(1).put<std::int32_t>(-5).put<std::int32_t>(1).put<std::int32_t>(1).f32(1);
  for (const std::string& image : {entries, values, name}) {
    const auto matrix = parse_importance_dat(bytes_of(image), "m.dat");
    ASSERT_FALSE(matrix);
    EXPECT_EQ(matrix.error().code, Code::bad_input);
  }
}

}  // namespace
}  // namespace qn::file
