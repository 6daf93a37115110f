#include <gtest/gtest.h>

#include <filesystem>

#include "file/checkpoint.h"
#include "file/gguf_writer.h"
#include "unit/file/temporary_folder.h"

namespace qn::file {
namespace {

struct Part {
  std::uint16_t number = 0;
  std::uint16_t count = 3;
  std::int32_t tensors = 3;
  std::string tensor;  // none where empty
};

void write_part(const std::filesystem::path& path, const Part& part) {
  Metadata metadata;
  if (part.number == 0) metadata.set("general.architecture", std::string("toy"));
  metadata.set("split.no", part.number);
  metadata.set("split.count", part.count);
  metadata.set("split.tensors.count", part.tensors);
  std::vector<TensorInfo> tensors;
  if (!part.tensor.empty()) tensors.push_back({part.tensor, quant::find_format("F32"), {4}});
  auto writer = GgufWriter::create(path, metadata, tensors);
  ASSERT_TRUE(writer) << writer.error().message;
  const std::vector<std::byte> data(16 * tensors.size(), std::byte{static_cast<unsigned char>(part.number)});
  ASSERT_TRUE(writer->write(data));
  ASSERT_TRUE(writer->finish());
}

const std::string names[] = {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"};

class GgufSplit : public testing::Test {
 protected:
  void SetUp() override { parts_ = {{0, 3, 3, "a"}, {1, 3, 3, "b"}, {2, 3, 3, "c"}}; }
  Result<Checkpoint> open_all() {
    for (std::size_t i = 0; i < parts_.size(); ++i) write_part(folder_ / names[i], parts_[i]);
    return open_gguf(folder_ / names[0]);
  }
  void expect_refused(std::string_view words) {
    const auto model = open_all();
    ASSERT_FALSE(model);
    EXPECT_NE(model.error().message.find(words), std::string::npos) << model.error().message;
  }
  TemporaryFolder folder_;
  std::vector<Part> parts_;
};

TEST_F(GgufSplit, opening_the_first_part_opens_all) {
  const auto model = open_all();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->tensors.size(), 3u);
  EXPECT_EQ(model->maps.size(), 3u);
  EXPECT_EQ(model->metadata.text("general.architecture").value(), "toy");
  ASSERT_NE(model->find("c"), nullptr);
  EXPECT_EQ(model->find("c")->bytes[15], std::byte{2});
  std::uint64_t bytes = 0;
  for (const std::string& name : names) bytes += std::filesystem::file_size(folder_ / name);
  EXPECT_EQ(model->file_bytes, bytes);
}

TEST_F(GgufSplit, a_first_part_without_tensors_is_enough) {
  parts_ = {{0, 3, 2, ""}, {1, 3, 2, "b"}, {2, 3, 2, "c"}};
  const auto model = open_all();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->tensors.size(), 2u);
}

TEST_F(GgufSplit, a_missing_part_is_named) {
  for (std::size_t i = 0; i < 2; ++i) write_part(folder_ / names[i], parts_[i]);
  const auto model = open_gguf(folder_ / names[0]);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, Code::not_found);
  EXPECT_NE(model.error().message.find("m-00003-of-00003.gguf': no such file; the model has 3 parts"), std::string::npos)
      << model.error().message;
}

TEST_F(GgufSplit, a_later_part_says_which_is_the_first) {
  ASSERT_TRUE(open_all());
  const auto model = open_gguf(folder_ / names[1]);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("part 2 of a model in 3 parts; give the first, 'm-00001-of-00003.gguf'"), std::string::npos)
      << model.error().message;
}

TEST_F(GgufSplit, parts_under_other_names_are_refused) {
  ASSERT_TRUE(open_all());
  std::filesystem::copy_file(folder_ / names[0], folder_ / "renamed.gguf");
  const auto model = open_gguf(folder_ / "renamed.gguf");
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("rename the parts to 'renamed-00001-of-00003.gguf'"), std::string::npos) << model.error().message;
}

TEST_F(GgufSplit, a_part_in_the_place_of_another_is_refused) {
  parts_[1].number = 2;
  expect_refused("m-00002-of-00003.gguf': expected part 2 of 3, found part 3 of 3");
}

TEST_F(GgufSplit, a_part_of_another_split_is_refused) {
  parts_[2].count = 4;
  expect_refused("expected part 3 of 3, found part 3 of 4");
}

TEST_F(GgufSplit, a_tensor_in_two_parts_is_refused) {
  parts_[2].tensor = "a";
  expect_refused("tensor 'a': two parts have it");
}

TEST_F(GgufSplit, a_wrong_total_of_tensors_is_refused) {
  parts_[0].tensors = 4;
  expect_refused("split.tensors.count says 4 tensors, the 3 parts have 3");
}

TEST_F(GgufSplit, a_number_past_the_count_is_refused) {
  parts_[0].number = 7;
  expect_refused("split.no is 7 and split.count is 3");
}

TEST_F(GgufSplit, a_damaged_later_part_is_named) {
  ASSERT_TRUE(open_all());
  std::filesystem::resize_file(folder_ / names[1], 40);
  const auto model = open_gguf(folder_ / names[0]);
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find("m-00002-of-00003.gguf': "), std::string::npos) << model.error().message;
  EXPECT_NE(model.error().message.find("cut short"), std::string::npos) << model.error().message;
}

}  // namespace
}  // namespace qn::file
