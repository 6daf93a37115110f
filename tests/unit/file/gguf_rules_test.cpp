// One crafted violation for every rule a GGUF file must keep: each is refused, and the message says what and where.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "file/gguf_reader.h"
#include "unit/file/gguf_sketch.h"

namespace qn::file {
namespace {

struct Violation {
  const char* rule;  // as a test name
  Code code;
  const char* words;  // in the message
  std::function<void(GgufSketch&)> commit;
};

void set_alignment(GgufSketch& file, std::uint32_t value) {
  file.keys.push_back({"general.alignment", t_u32, Bytes().u32(value)});
}

const std::uint64_t huge = std::uint64_t{1} << 62;

const Violation violations[] = {
    {"a_wrong_magic", Code::bad_input, "begins with 'GGUX', expected 'GGUF'", [](auto& f) { f.magic = "GGUX"; }},
    {"a_web_page", Code::bad_input, "is a web page", [](auto& f) { f.magic = "<!DOCTYPE html>"; }},
    {"a_git_lfs_pointer", Code::bad_input, "run git lfs pull", [](auto& f) { f.magic = "version https://git-lfs.github.com/spec/v1"; }},
    {"an_old_ggml_file", Code::bad_input, "old ggml format", [](auto& f) { f.magic = "tjgg"; }},
    {"a_zip_archive", Code::bad_input, "zip archive", [](auto& f) { f.magic = "PK\x03\x04"; }},
    {"version_0", Code::unsupported, "header, version at offset 4: GGUF version 0", [](auto& f) { f.version = 0; }},
    {"version_1", Code::unsupported, "GGUF version 1", [](auto& f) { f.version = 1; }},
    {"version_4", Code::unsupported, "GGUF version 4; versions 2 and 3 are read", [](auto& f) { f.version = 4; }},
    {"a_big_endian_file", Code::unsupported, "big-endian", [](auto& f) { f.version = 0x03000000; }},
    {"too_many_tensors", Code::too_large, "tensor count at offset 8: 1048577 tensors, at most 1048576",
     [](auto& f) { f.tensor_count = 1'048'577; }},
    {"all_tensors_there_are", Code::too_large, "tensor count at offset 8", [](auto& f) { f.tensor_count = UINT64_MAX; }},
    {"more_tensors_than_bytes", Code::bad_input, "1000000 tensors cannot stand in", [](auto& f) { f.tensor_count = 1'000'000; }},
    {"more_tensors_than_bytes_after_the_keys", Code::bad_input, "tensor list, start at offset",
     [](auto& f) {
       f.tensor_count = 6;  // the header has room for them, what follows the keys has not
       f.tensors.clear();
       f.data_bytes = 0;
     }},
    {"one_tensor_more_than_there_are", Code::bad_input, "tensor 3, name at offset",
     [](auto& f) {
       f.tensor_count = 4;
       f.data_bytes = 0;
     }},
    {"too_many_keys", Code::too_large, "key count at offset 16: 65537 keys, at most 65536", [](auto& f) { f.key_count = 65'537; }},
    {"more_keys_than_bytes", Code::bad_input, "65536 keys cannot stand in", [](auto& f) { f.key_count = 65'536; }},
    {"one_key_more_than_there_are", Code::bad_input, "metadata key 4, key at offset",
     [](auto& f) {
       f.key_count = 5;
       f.tensors.clear();
       f.data_bytes = 0;
     }},
    {"an_empty_key", Code::bad_input, "metadata key 0, key at offset 24: it is empty", [](auto& f) { f.keys[0].name.clear(); }},
    {"a_long_key", Code::too_large, "65537 bytes long, at most 65536", [](auto& f) { f.keys[0].name.assign(65'537, 'k'); }},
    {"a_key_twice", Code::bad_input, "'toy.block_count', key at offset", [](auto& f) { f.keys.push_back(f.keys[1]); }},
    {"an_unknown_value_type", Code::bad_input, "13 is no metadata type", [](auto& f) { f.keys[1].type = 13; }},
    {"a_value_type_of_all_ones", Code::bad_input, "4294967295 is no metadata type", [](auto& f) { f.keys[1].type = 0xffffffff; }},
    {"a_boolean_of_2", Code::bad_input, "expected a boolean (0 or 1), found 2",
     [](auto& f) {
       f.keys.push_back({"x", t_bool, Bytes().u8(2)});
     }},
    {"a_long_text", Code::too_large, "at most 16777216 accepted", [](auto& f) { f.keys[0].value = Bytes().u64((16 << 20) + 1); }},
    {"a_text_past_the_end", Code::bad_input, "'general.architecture', value at offset",
     [](auto& f) { f.keys[0].value = Bytes().u64(16 << 20); }},
    {"a_text_of_all_bytes_there_are", Code::too_large, "18446744073709551615 bytes long",
     [](auto& f) { f.keys[0].value = Bytes().u64(UINT64_MAX); }},
    {"an_unknown_element_type", Code::bad_input, "element type at offset", [](auto& f) { f.keys[2].value = Bytes().u32(99).u64(1).u8(0); }},
    {"an_array_of_arrays", Code::unsupported, "an array of arrays",
     [](auto& f) { f.keys[2].value = Bytes().u32(t_array).u64(1).u32(t_u8).u64(1).u8(1); }},
    {"a_long_array", Code::too_large, "67108865 elements, at most 67108864",
     [](auto& f) { f.keys[2].value = Bytes().u32(t_u8).u64((64 << 20) + 1); }},
    {"an_array_past_the_end", Code::bad_input, "need at least 8 bytes each",
     [](auto& f) { f.keys[2].value = Bytes().u32(t_u64).u64(1 << 20); }},
    {"a_text_array_past_the_end", Code::bad_input, "need at least 8 bytes each",
     [](auto& f) { f.keys[2].value = Bytes().u32(t_text).u64(1 << 20); }},
    {"an_array_whose_bytes_overflow", Code::too_large, "elements", [](auto& f) { f.keys[2].value = Bytes().u32(t_u64).u64(huge); }},
    {"an_element_past_the_end", Code::bad_input, "'toy.words', element at offset",
     [](auto& f) { f.keys[3].value = Bytes().u32(t_text).u64(1).u64(1 << 20); }},
    {"a_boolean_element_of_7", Code::bad_input, "found 7", [](auto& f) { f.keys[2].value = Bytes().u32(t_bool).u64(2).u8(1).u8(7); }},
    {"an_alignment_of_0", Code::bad_input, "'general.alignment', value at offset", [](auto& f) { set_alignment(f, 0); }},
    {"an_alignment_of_4", Code::bad_input, "power of two from 8 to 65536, found 4", [](auto& f) { set_alignment(f, 4); }},
    {"an_alignment_of_48", Code::bad_input, "power of two from 8 to 65536, found 48", [](auto& f) { set_alignment(f, 48); }},
    {"an_alignment_of_131072", Code::bad_input, "found 131072", [](auto& f) { set_alignment(f, 131'072); }},
    {"a_negative_alignment", Code::bad_input, "found -32",
     [](auto& f) {
       f.keys.push_back({"general.alignment", t_i32, Bytes().put(-32)});
     }},
    {"an_alignment_in_words", Code::bad_input, "expected an integer",
     [](auto& f) {
       f.keys.push_back({"general.alignment", t_text, Bytes().text("32")});
     }},
    {"an_empty_tensor_name", Code::bad_input, "tensor 0, name at offset", [](auto& f) { f.tensors[0].name.clear(); }},
    {"a_long_tensor_name", Code::too_large, "1025 bytes long, at most 1024", [](auto& f) { f.tensors[0].name.assign(1025, 't'); }},
    {"a_tensor_name_past_the_end", Code::bad_input, "tensor 0, name at offset",
     [](auto& f) {
       f.tensors.clear();
       f.tensor_count = 1;
       f.keys.push_back({"x", t_u32, Bytes().u32(1).u64(900).raw("the name")});
     }},
    {"a_tensor_twice", Code::bad_input, "tensor 'a.weight', name at offset", [](auto& f) { f.tensors[1].name = "a.weight"; }},
    {"no_dimensions", Code::bad_input, "expected 1 to 4, found 0", [](auto& f) { f.tensors[0].dimensions = 0; }},
    {"five_dimensions", Code::bad_input, "expected 1 to 4, found 5",
     [](auto& f) {
       f.tensors[0].shape = {1, 1, 1, 1, 1};
     }},
    {"a_dimension_of_0", Code::bad_input, "tensor 'a.weight', dimension at offset",
     [](auto& f) {
       f.tensors[0].shape = {8, 0};
     }},
    {"a_dimension_of_2_to_63", Code::bad_input, "more weights than 64 bits",
     [](auto& f) { f.tensors[0].shape = {std::uint64_t{1} << 63}; }},
    {"a_shape_that_overflows_to_0", Code::bad_input, "more weights than 64 bits",
     [](auto& f) {
       f.tensors[0].shape = {std::uint64_t{1} << 32, std::uint64_t{1} << 32};
     }},
    {"a_shape_that_overflows_to_8", Code::bad_input, "more weights than 64 bits",
     [](auto& f) {
       f.tensors[0].shape = {8, (std::uint64_t{1} << 61) + 1};
     }},
    {"an_unknown_tensor_type", Code::unsupported, "tensor 'a.weight', type at offset", [](auto& f) { f.tensors[0].type = 999; }},
    {"a_removed_tensor_type", Code::unsupported, "tensor type 4 is not read", [](auto& f) { f.tensors[0].type = 4; }},
    {"a_row_of_part_blocks", Code::bad_input, "a row of 33 weights is no whole number of Q8_0 blocks of 32",
     [](auto& f) {
       f.tensors[1].shape = {33, 2};
     }},
    {"a_size_that_overflows", Code::bad_input, "more bytes than 64 bits", [](auto& f) { f.tensors[0].shape = {huge}; }},
    {"an_unaligned_offset", Code::bad_input, "72 is no multiple of the alignment 32", [](auto& f) { f.tensors[1].offset = 72; }},
    {"an_offset_past_the_end", Code::bad_input, "the file has", [](auto& f) { f.tensors[2].offset = 192; }},
    {"an_offset_that_overflows", Code::bad_input, "past the range of 64 bits", [](auto& f) { f.tensors[2].offset = UINT64_MAX - 31; }},
    {"a_size_past_the_end", Code::bad_input, "tensor 'c.bias', data at offset", [](auto& f) { f.tensors[2].shape = {6}; }},
    {"a_gigantic_tensor", Code::bad_input, "the file is cut short or damaged", [](auto& f) { f.tensors[2].shape = {huge / 2}; }},
    {"tensors_that_overlap", Code::bad_input, "64 lies inside tensor 'a.weight'",
     [](auto& f) {
       f.tensors[0].shape = {8, 3};
     }},
    {"tensors_at_one_place", Code::bad_input, "lies inside tensor", [](auto& f) { f.tensors[2].offset = 64; }},
    {"missing_data", Code::bad_input, "the file is cut short or damaged", [](auto& f) { f.data_bytes = 0; }},
};

void PrintTo(const Violation& violation, std::ostream* out) {
  *out << violation.rule;
}

class GgufRule : public testing::TestWithParam<Violation> {};

TEST_P(GgufRule, is_refused) {
  GgufSketch file = small_sketch();
  GetParam().commit(file);
  const std::string image = file.encode();
  const auto read = parse_gguf(bytes_of(image), "m.gguf");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, GetParam().code) << read.error().message;
  EXPECT_NE(read.error().message.find(GetParam().words), std::string::npos) << read.error().message;
  EXPECT_TRUE(read.error().message.starts_with("'m.gguf': ")) << read.error().message;
  EXPECT_NE(read.error().message.find(';'), std::string::npos) << "no remedy: " << read.error().message;
  EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
}

INSTANTIATE_TEST_SUITE_P(Gguf, GgufRule, testing::ValuesIn(violations),
                         [](const testing::TestParamInfo<Violation>& violation) { return std::string(violation.param.rule); });

TEST(GgufReader, an_empty_file_is_refused) {
  const auto read = parse_gguf({}, "m.gguf");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("the file is empty"), std::string::npos) << read.error().message;
}

TEST(GgufReader, a_right_file_is_read_in_versions_2_and_3) {
  for (const std::uint32_t version : {2u, 3u}) {
    GgufSketch file = small_sketch();
    file.version = version;
    const std::string image = file.encode();
    const auto read = parse_gguf(bytes_of(image), "m.gguf");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->version, version);
    EXPECT_EQ(read->metadata.text("general.architecture").value(), "toy");
    EXPECT_EQ(read->metadata.integer("toy.block_count").value(), 2);
    EXPECT_EQ((*read->metadata.texts("toy.words").value())[1], "a longer one, kept on the heap");
    ASSERT_EQ(read->tensors.size(), 3u);
    EXPECT_EQ(read->tensors[1].format->name, "Q8_0");
    EXPECT_EQ(read->tensors[1].rows(), 2);
    EXPECT_EQ(read->tensors[2].bytes.data() - bytes_of(image).data(), static_cast<std::ptrdiff_t>(read->data_offset + 160));
    EXPECT_EQ(read->tensors[2].bytes.size(), 10u);
  }
}

TEST(GgufReader, names_from_outside_are_escaped_in_messages) {
  GgufSketch file = small_sketch();
  file.tensors[0].name = "evil\x1b[31m\n";
  file.tensors[0].type = 999;
  const std::string image = file.encode();
  const auto read = parse_gguf(bytes_of(image), "m.gguf");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("'evil\\x1b[31m\\x0a'"), std::string::npos) << read.error().message;
}

// Every row of limits.h: at the limit accepted, one past it refused.
struct Limit {
  const char* name;
  std::function<void(GgufLimits&, int slack)> set;  // slack 0: just enough for limit_sketch(), -1: one less
};

const Limit limits[] = {
    {"metadata_keys", [](auto& l, int slack) { l.metadata_keys = static_cast<std::uint64_t>(4 + slack); }},
    {"tensors", [](auto& l, int slack) { l.tensors = static_cast<std::uint64_t>(3 + slack); }},
    {"key_bytes", [](auto& l, int slack) { l.key_bytes = static_cast<std::uint64_t>(20 + slack); }},
    {"name_bytes", [](auto& l, int slack) { l.name_bytes = static_cast<std::uint64_t>(8 + slack); }},
    {"string_bytes", [](auto& l, int slack) { l.string_bytes = static_cast<std::uint64_t>(30 + slack); }},
    {"array_elements", [](auto& l, int slack) { l.array_elements = static_cast<std::uint64_t>(3 + slack); }},
    {"dimensions", [](auto& l, int slack) { l.dimensions = static_cast<std::uint64_t>(2 + slack); }},
};

TEST(GgufLimits, each_is_accepted_exactly_and_refused_one_past) {
  const std::string image = small_sketch().encode();
  for (const Limit& limit : limits) {
    GgufLimits enough, short_by_one;
    limit.set(enough, 0);
    limit.set(short_by_one, -1);
    const auto read = parse_gguf(bytes_of(image), "m.gguf", enough);
    EXPECT_TRUE(read) << limit.name << ": " << read.error().message;
    EXPECT_FALSE(parse_gguf(bytes_of(image), "m.gguf", short_by_one)) << limit.name;
  }
}

TEST(GgufLimits, memory_is_accepted_exactly_and_refused_one_byte_past) {
  const std::string image = small_sketch().encode();
  GgufLimits tight;
  tight.decoded_bytes = parse_gguf(bytes_of(image), "m.gguf")->decoded_bytes;
  EXPECT_TRUE(parse_gguf(bytes_of(image), "m.gguf", tight));
  --tight.decoded_bytes;
  EXPECT_FALSE(parse_gguf(bytes_of(image), "m.gguf", tight));
}

TEST(GgufLimits, alignments_from_8_to_65536_are_accepted) {
  for (const std::uint32_t alignment : {8u, 64u, 65'536u}) {
    GgufSketch file = small_sketch();
    set_alignment(file, alignment);
    file.alignment = alignment;
    file.tensors.resize(1);
    const std::string image = file.encode();
    const auto read = parse_gguf(bytes_of(image), "m.gguf");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->alignment, alignment);
    EXPECT_EQ(read->data_offset % alignment, 0u);
  }
}

// An empty string is 8 bytes in the file and 32 in memory: comparing the count with the bytes left would let 1 GiB through here.
TEST(GgufLimits, millions_of_empty_strings_are_refused_before_they_take_memory) {
  GgufSketch file;
  file.keys = {{"tokenizer.ggml.tokens", t_array, Bytes().u32(t_text).u64(4 << 20).raw(std::string(std::size_t{32} << 20, '\0'))}};
  const std::string image = file.encode();
  const auto read = parse_gguf(bytes_of(image), "m.gguf");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::too_large);
  EXPECT_NE(read.error().message.find("more than 48 MiB of memory"), std::string::npos) << read.error().message;
}

}  // namespace
}  // namespace qn::file
