#include "file/part.h"

#include <gtest/gtest.h>

namespace qn::file {
namespace {

// Tensors of so many bytes each, F32.
Checkpoint model_of(const std::vector<std::size_t>& sizes) {
  static const std::vector<std::byte> zeros(1 << 20);
  Checkpoint model;
  model.metadata.set("general.architecture", std::string("toy"));
  model.metadata.set("split.no", std::uint16_t{0});
  model.metadata.set("split.count", std::uint16_t{0});
  for (std::size_t i = 0; i < sizes.size(); ++i)
    model.tensors.push_back(
        {fmt::format("t{}", i), quant::find_format("F32"), {static_cast<std::int64_t>(sizes[i] / 4)}, std::span(zeros).first(sizes[i])});
  model.index();
  return model;
}

std::vector<std::size_t> tensors_in_parts(const Checkpoint& model, const SplitLimits& limits) {
  const auto parts = plan_split(model, limits, "p");
  std::vector<std::size_t> counts;
  for (const OutputFile& part : parts.value()) counts.push_back(part.tensors.size());
  return counts;
}

using Counts = std::vector<std::size_t>;

TEST(Split, a_part_is_full_when_the_next_tensor_would_pass_its_size) {
  const Checkpoint model = model_of({64, 64, 64, 64, 64});
  EXPECT_EQ(tensors_in_parts(model, {.max_bytes = 128}), (Counts{2, 2, 1}));
  EXPECT_EQ(tensors_in_parts(model, {.max_bytes = 127}), (Counts{1, 1, 1, 1, 1}));
  EXPECT_EQ(tensors_in_parts(model, {.max_bytes = 1000}), (Counts{5}));
}

TEST(Split, sizes_count_the_padding_after_each_tensor) {
  EXPECT_EQ(tensors_in_parts(model_of({36, 36}), {.max_bytes = 127}), (Counts{1, 1}));
  EXPECT_EQ(tensors_in_parts(model_of({36, 36}), {.max_bytes = 128}), (Counts{2}));
}

TEST(Split, a_tensor_larger_than_a_part_has_one_to_itself) {
  EXPECT_EQ(tensors_in_parts(model_of({4096, 32, 32, 4096}), {.max_bytes = 64}), (Counts{1, 2, 1}));
}

TEST(Split, tensors_may_be_counted_instead) {
  EXPECT_EQ(tensors_in_parts(model_of({4, 4, 4, 4, 4}), {.max_tensors = 2}), (Counts{2, 2, 1}));
  EXPECT_EQ(tensors_in_parts(model_of({4, 4, 4, 4}), {.max_tensors = 2}), (Counts{2, 2}));
}

TEST(Split, the_first_part_may_be_left_to_the_metadata) {
  EXPECT_EQ(tensors_in_parts(model_of({4, 4, 4}), {.max_tensors = 2, .metadata_first = true}), (Counts{0, 2, 1}));
}

TEST(Split, parts_are_named_and_numbered_and_the_first_has_the_metadata) {
  const Checkpoint model = model_of({4, 4, 4});
  const auto parts = plan_split(model, {.max_tensors = 1}, "folder/model.gguf");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[1].path, "folder/model-00002-of-00003.gguf");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*parts)[i].metadata.integer("split.no").value(), static_cast<std::int64_t>(i));
    EXPECT_EQ((*parts)[i].metadata.integer("split.count").value(), 3);
    EXPECT_EQ((*parts)[i].metadata.integer("split.tensors.count").value(), 3);
    EXPECT_EQ((*parts)[i].metadata.has("general.architecture"), i == 0);
  }
}

TEST(Split, every_part_keeps_the_alignment) {
  Checkpoint model = model_of({4, 4});
  model.metadata.set("general.alignment", std::uint32_t{64});
  const auto parts = plan_split(model, {.max_tensors = 1}, "p");
  for (const OutputFile& part : parts.value()) EXPECT_EQ(part.metadata.integer("general.alignment").value(), 64);
}

TEST(Split, what_is_joined_has_no_numbers) {
  const OutputFile whole = plan_merge(model_of({4, 4}), "whole.gguf");
  EXPECT_EQ(whole.metadata.entries().size(), 1u);
  EXPECT_EQ(whole.tensors.size(), 2u);
}

TEST(Metadata, changes_keep_the_place_of_a_key_and_the_last_of_them_counts) {
  Metadata before;
  before.set("a", std::uint32_t{1});
  before.set("b", std::uint32_t{2});
  const std::vector<std::pair<std::string, MetaValue>> changes = {
      {"a", std::uint32_t{3}}, {"c", std::uint32_t{4}}, {"a", std::string("x")}};
  const Metadata after = with_changes(before, changes);
  ASSERT_EQ(after.entries().size(), 3u);
  EXPECT_EQ(after.entries()[0].first, "a");
  EXPECT_EQ(after.text("a").value(), "x");
  EXPECT_EQ(after.entries()[2].first, "c");
}

}  // namespace
}  // namespace qn::file
