#include "file/gguf_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <set>

#include "file/checkpoint.h"
#include "unit/file/temporary_folder.h"

namespace qn::file {
namespace {

const quant::Format* format(std::string_view name) {
  return quant::find_format(name);
}

template <class T>
void set_edges(Metadata& metadata, const std::string& name) {
  metadata.set("lowest." + name, std::numeric_limits<T>::lowest());
  metadata.set("highest." + name, std::numeric_limits<T>::max());
  metadata.set("array." + name, ArrayOf<T>{{std::numeric_limits<T>::lowest(), T(1), std::numeric_limits<T>::max()}});
  metadata.set("none." + name, ArrayOf<T>{});
}

Metadata all_types() {
  Metadata metadata;
  set_edges<std::uint8_t>(metadata, "u8");
  set_edges<std::int8_t>(metadata, "i8");
  set_edges<std::uint16_t>(metadata, "u16");
  set_edges<std::int16_t>(metadata, "i16");
  set_edges<std::uint32_t>(metadata, "u32");
  set_edges<std::int32_t>(metadata, "i32");
  set_edges<std::uint64_t>(metadata, "u64");
  set_edges<std::int64_t>(metadata, "i64");
  set_edges<float>(metadata, "f32");
  set_edges<double>(metadata, "f64");
  metadata.set("true", true);
  metadata.set("flags", ArrayOf<bool>{{true, false, true}});
  metadata.set("empty", std::string());
  metadata.set("words", std::string("größer\0als eins", 17));
  metadata.set("lines", ArrayOf<std::string>{{"", "one", std::string(1'000, 'x')}});
  return metadata;
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
template <class T>
bool same(const ArrayOf<T>& a, const ArrayOf<T>& b) {
  return a.values == b.values;
}

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 41 + size);
  return out;
}

TEST(GgufWriter, every_metadata_type_reads_back_the_same) {
  const TemporaryFolder folder;
  const Metadata written = all_types();
  auto writer = GgufWriter::create(folder / "m.gguf", written, {});
  ASSERT_TRUE(writer) << writer.error().message;
  ASSERT_TRUE(writer->finish());
  const auto model = open_gguf(folder / "m.gguf");
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->metadata.entries().size(), written.entries().size());
  for (std::size_t i = 0; i < written.entries().size(); ++i) {
    const std::string& key = written.entries()[i].first;
    const MetaValue& value = written.entries()[i].second;
    const MetaValue& read_value = model->metadata.entries()[i].second;
    EXPECT_EQ(model->metadata.entries()[i].first, key);
    ASSERT_EQ(value.index(), read_value.index()) << key;
    std::visit([&](const auto& held) { EXPECT_TRUE(same(held, std::get<std::decay_t<decltype(held)>>(read_value))) << key; }, value);
  }
}

TEST(GgufWriter, tensors_written_in_pieces_of_any_size_read_back_the_same) {
  const TemporaryFolder folder;
  for (const std::uint32_t alignment : {8u, 32u, 4'096u}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100'000}}) {
      Metadata metadata;
      metadata.set("general.alignment", alignment);
      const TensorInfo tensors[] = {
          {"one", format("F32"), {3}}, {"two", format("Q8_0"), {64, 2, 3}}, {"three", format("F16"), {1, 1, 1, 5}}};
      const std::vector<std::byte> data[] = {pattern(12), pattern(34 * 12), pattern(10)};
      auto writer = GgufWriter::create(folder / "m.gguf", metadata, tensors);
      ASSERT_TRUE(writer) << writer.error().message;
      std::vector<std::byte> all;
      for (const auto& bytes : data) all.insert(all.end(), bytes.begin(), bytes.end());
      for (std::size_t at = 0; at < all.size(); at += piece)
        ASSERT_TRUE(writer->write(std::span(all).subspan(at, std::min(piece, all.size() - at))));
      ASSERT_TRUE(writer->finish());

      const auto model = open_gguf(folder / "m.gguf");
      ASSERT_TRUE(model) << model.error().message;
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(model->tensors[i].name, tensors[i].name);
        EXPECT_EQ(model->tensors[i].shape, tensors[i].shape);
        EXPECT_EQ(model->tensors[i].format, tensors[i].format);
        EXPECT_TRUE(std::equal(data[i].begin(), data[i].end(), model->tensors[i].bytes.begin(), model->tensors[i].bytes.end()));
        EXPECT_EQ(static_cast<std::size_t>(model->tensors[i].bytes.data() - model->maps[0]->bytes().data()) % alignment, 0u);
      }
    }
  }
}

TEST(GgufWriter, an_unfinished_file_leaves_the_old_one_and_nothing_else) {
  const TemporaryFolder folder;
  std::ofstream(folder / "m.gguf") << "the old one";
  {
    const TensorInfo tensors[] = {{"one", format("F32"), {1'000}}};
    auto writer = GgufWriter::create(folder / "m.gguf", {}, tensors);
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE(writer->write(pattern(100)));
    const auto early = writer->finish();
    ASSERT_FALSE(early);
    EXPECT_NE(early.error().message.find("100 of 4000 bytes written"), std::string::npos) << early.error().message;
  }
  std::string text;
  std::getline(std::ifstream(folder / "m.gguf"), text);
  EXPECT_EQ(text, "the old one");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(GgufWriter, more_data_than_the_header_says_is_refused) {
  const TemporaryFolder folder;
  const TensorInfo tensors[] = {{"one", format("F32"), {1}}};
  auto writer = GgufWriter::create(folder / "m.gguf", {}, tensors);
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_FALSE(writer->write(pattern(5)));
}

TEST(GgufWriter, what_no_reader_would_take_is_refused_before_a_byte_is_written) {
  const TemporaryFolder folder;
  const std::int64_t huge = std::int64_t{1} << 62;
  const std::vector<std::vector<TensorInfo>> lists = {
      {{"", format("F32"), {1}}},
      {{std::string(1'025, 'n'), format("F32"), {1}}},
      {{"twice", format("F32"), {1}}, {"twice", format("F32"), {1}}},
      {{"flat", format("F32"), {}}},
      {{"deep", format("F32"), {1, 1, 1, 1, 1}}},
      {{"empty", format("F32"), {0}}},
      {{"negative", format("F32"), {-1}}},
      {{"torn", format("Q8_0"), {33}}},
      {{"huge", format("F32"), {huge}}},
      {{"huger", format("F32"), {huge, huge}}},
      {{"half", format("F32"), {huge / 4}}, {"whole", format("F32"), {huge / 4}}},
  };
  for (const auto& tensors : lists) EXPECT_FALSE(GgufWriter::create(folder / "m.gguf", {}, tensors)) << tensors[0].name.substr(0, 20);
  for (const std::int32_t alignment : {0, -32, 4, 48, 131'072}) {
    Metadata metadata;
    metadata.set("general.alignment", alignment);
    EXPECT_FALSE(GgufWriter::create(folder / "m.gguf", metadata, {})) << alignment;
  }
  Metadata nameless, endless;
  nameless.set("", true);
  endless.set("text", std::string((16 << 20) + 1, 'x'));
  EXPECT_FALSE(GgufWriter::create(folder / "m.gguf", nameless, {}));
  EXPECT_FALSE(GgufWriter::create(folder / "m.gguf", endless, {}));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(GgufWriter, a_directory_that_is_not_there_is_named) {
  const TemporaryFolder folder;
  const auto writer = GgufWriter::create(folder / "nowhere" / "m.gguf", {}, {});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, Code::not_found);
  EXPECT_NE(writer.error().message.find("nowhere': no such directory"), std::string::npos) << writer.error().message;
}

}  // namespace
}  // namespace qn::file
