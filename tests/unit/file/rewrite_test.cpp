#include "file/rewrite.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "unit/file/temporary_folder.h"

namespace qn::file {
namespace {

std::vector<float> varied(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>((i * 7919 + i / 256 * 31) % 1009) / 500.0f - 1;
  return values;
}

class Rewrite : public testing::Test {
 protected:
  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
    data_.push_back(std::make_unique<std::vector<float>>(std::move(values)));
    model_.tensors.push_back({name, quant::find_format("F32"), std::move(shape), std::as_bytes(std::span(*data_.back()))});
  }
  std::vector<OutputFile> all_as(const char* format) {
    OutputFile file{folder_ / "out.gguf", {}, {}};
    for (const TensorEntry& tensor : model_.tensors) file.tensors.push_back({&tensor, tensor.name, quant::find_format(format), {}});
    return {file};
  }
  Status write(std::span<const OutputFile> files, int threads = 2) {
    ThreadPool pool(threads);
    return rewrite(model_, files, pool, {});
  }
  std::size_t files_there() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()), {}));
  }

  TemporaryFolder folder_;
  Checkpoint model_;
  std::vector<std::unique_ptr<std::vector<float>>> data_;
};

// A tensor's bytes as the format alone makes them, row by row.
std::vector<std::byte> by_rows(const quant::Format& format, std::span<const float> values, std::size_t columns,
                               std::span<const float> importance, std::size_t rows_a_matrix) {
  std::vector<std::byte> bytes(format.row_bytes(static_cast<std::int64_t>(values.size())));
  const std::size_t row_bytes = format.row_bytes(static_cast<std::int64_t>(columns));
  for (std::size_t row = 0; row < values.size() / columns; ++row)
    format.quantize(values.data() + row * columns, importance.empty() ? nullptr : importance.data() + row / rows_a_matrix * columns,
                    bytes.data() + row * row_bytes, columns / static_cast<std::size_t>(format.block_weights));
  return bytes;
}

TEST_F(Rewrite, every_row_is_what_the_format_makes_of_it) {
  add("a", {256, 1500}, varied(256 * 1500));  // more rows than a piece has, and not a multiple
  add("b", {32, 3}, varied(96));
  ASSERT_TRUE(write(all_as("Q8_0")));
  const auto out = open_gguf(folder_ / "out.gguf");
  ASSERT_TRUE(out) << out.error().message;
  const std::vector<std::byte> expected = by_rows(*quant::find_format("Q8_0"), *data_[0], 256, {}, 1);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), out->find("a")->bytes.begin(), out->find("a")->bytes.end()));
}

TEST_F(Rewrite, a_row_longer_than_a_piece_is_cut_between_blocks) {
  const std::size_t columns = (std::size_t{1} << 20) + 4096;
  add("a", {static_cast<std::int64_t>(columns), 2}, varied(columns * 2));
  ASSERT_TRUE(write(all_as("Q8_0")));
  const auto out = open_gguf(folder_ / "out.gguf");
  ASSERT_TRUE(out) << out.error().message;
  const std::vector<std::byte> expected = by_rows(*quant::find_format("Q8_0"), *data_[0], columns, {}, 1);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), out->find("a")->bytes.begin(), out->find("a")->bytes.end()));
}

TEST_F(Rewrite, each_expert_is_weighed_by_its_own_importance) {
  add("a", {256, 3, 2}, varied(256 * 6));
  std::vector<float> importance(512);
  for (std::size_t i = 0; i < 512; ++i) importance[i] = i < 256 ? (i % 2 == 0 ? 1000.0f : 0.001f) : (i % 2 == 0 ? 0.001f : 1000.0f);
  std::vector<OutputFile> files = all_as("Q4_K");
  files[0].tensors[0].importance = importance;
  ASSERT_TRUE(write(files));
  const auto out = open_gguf(folder_ / "out.gguf");
  const std::vector<std::byte> expected = by_rows(*quant::find_format("Q4_K"), *data_[0], 256, importance, 3);
  const std::vector<std::byte> unweighted = by_rows(*quant::find_format("Q4_K"), *data_[0], 256, {}, 3);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), out->find("a")->bytes.begin(), out->find("a")->bytes.end()));
  EXPECT_NE(expected, unweighted);
}

TEST_F(Rewrite, all_files_appear_or_none) {
  add("a", {32, 4}, varied(128));
  add("b", {32, 4}, varied(128));
  (*data_[1])[77] = std::numeric_limits<float>::quiet_NaN();
  std::vector<OutputFile> files(2, OutputFile{{}, {}, {}});
  for (std::size_t i = 0; i < 2; ++i) {
    files[i].path = folder_ / fmt::format("{}.gguf", i);
    files[i].tensors.push_back({&model_.tensors[i], model_.tensors[i].name, quant::find_format("Q8_0"), {}});
  }
  const Status done = write(files);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::bad_input);
  EXPECT_NE(done.error().message.find("tensor 'b': row 2, column 13: nan is no number"), std::string::npos) << done.error().message;
  EXPECT_EQ(files_there(), 0u);
}

TEST_F(Rewrite, what_does_not_fit_f16_is_refused_and_fits_bf16) {
  add("a", {32, 1}, std::vector<float>(32, 65519.0f));
  EXPECT_TRUE(write(all_as("F16")));
  (*data_[0])[3] = -65520.0f;
  const Status done = write(all_as("F16"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("choose BF16"), std::string::npos) << done.error().message;
  EXPECT_TRUE(write(all_as("BF16")));
}

TEST_F(Rewrite, whoever_watches_can_stop_it_and_the_old_file_stays) {
  add("a", {256, 4096}, varied(256 * 4096));
  std::ofstream(folder_ / "out.gguf") << "what was there";
  ThreadPool pool(2);
  const Status done = rewrite(model_, all_as("Q8_0"), pool, [](RewriteProgress) { return Watch::stop; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
  EXPECT_EQ(files_there(), 1u);
  EXPECT_EQ(std::filesystem::file_size(folder_ / "out.gguf"), 14u);
}

TEST_F(Rewrite, progress_ends_at_the_bytes_of_the_source) {
  add("a", {256, 4096}, varied(256 * 4096));
  ThreadPool pool(1);
  RewriteProgress last{};
  ASSERT_TRUE(rewrite(model_, all_as("Q8_0"), pool, [&](RewriteProgress at) {
    EXPECT_GT(at.done_bytes, last.done_bytes);
    last = at;
    return Watch::go_on;
  }));
  EXPECT_EQ(last.done_bytes, 256u * 4096 * 4);
  EXPECT_EQ(last.total_bytes, last.done_bytes);
}

TEST_F(Rewrite, a_folder_in_the_place_of_a_file_is_refused_before_anything_is_done) {
  add("a", {32, 1}, varied(32));
  std::filesystem::create_directory(folder_ / "out.gguf");
  const Status done = write(all_as("Q8_0"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("no regular file"), std::string::npos) << done.error().message;
}

}  // namespace
}  // namespace qn::file
