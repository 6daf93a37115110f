#include <gtest/gtest.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "text/tokenizer/normalize.h"
#include "text/tokenizer/unicode.h"
#include "tokenizer_samples.h"

namespace qn::text {
namespace {

// The slow twin: utf8proc's own. Quadratic where marks pile up.
std::string nfc_by_utf8proc(const std::string& text) {
  utf8proc_uint8_t* out = nullptr;
  const auto bytes = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out,
                                  static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  EXPECT_GE(bytes, 0);
  std::string result(reinterpret_cast<const char*>(out), static_cast<std::size_t>(std::max<utf8proc_ssize_t>(bytes, 0)));
  std::free(out);
  return result;
}

std::string random_marks(std::mt19937_64& random) {
  static constexpr std::pair<char32_t, char32_t> ranges[] = {
      {'a', 'z'},         {0xC0, 0x17F},      {0x300, 0x36F},     {0x300, 0x36F},   {0x5B0, 0x5C2},   {0x64B, 0x652},
      {0x915, 0x939},     {0x93C, 0x93C},     {0x9BE, 0x9D7},     {0x1100, 0x1112}, {0x1161, 0x1175}, {0x11A8, 0x11C2},
      {0xAC00, 0xAC20},   {0x1E00, 0x1FFE},   {0x212A, 0x212B},   {0x304B, 0x309A}, {0xF900, 0xFA20}, {0xFB1D, 0xFB4E},
      {0x1D15E, 0x1D172}, {0x110A5, 0x110BA}, {0x2F800, 0x2F820}, {0x387, 0x390},   {0x340, 0x345},   {0xF71, 0xF84},
  };
  std::string out;
  for (int i = 0; i < 12; ++i) {
    const auto [first, last] = ranges[random() % std::size(ranges)];
    utf8::append(out, first + static_cast<char32_t>(random() % (last - first + 1)));
  }
  return out;
}

TEST(Nfc, equals_utf8proc_on_random_marks) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = random_marks(random);
    ASSERT_EQ(nfc(text), nfc_by_utf8proc(text)) << quoted(text, 200);
  }
}

TEST(Nfc, text_that_needs_no_look_is_already_normal) {
  std::mt19937_64 random(4);
  int skipped = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = random_marks(random);
    text = text.substr(0, front(text.data()).bytes);
    if (may_need_nfc(text)) continue;
    ++skipped;
    ASSERT_EQ(nfc(text), text);
  }
  EXPECT_GT(skipped, 1000);
}

TEST(Nfc, composes_what_belongs_together) {
  EXPECT_EQ(nfc("e\u0301"), "\u00e9");
  EXPECT_EQ(nfc("a\u0323\u0302"), "\u1ead");
  EXPECT_EQ(nfc("a\u0302\u0323"), "\u1ead");
  EXPECT_EQ(nfc("\u1112\u1161\u11ab"), "\ud55c");
  EXPECT_EQ(nfc("\u212b\u2126"), "\u00c5\u03a9");
  EXPECT_EQ(nfc("\u0301e"), "\u0301e");
}

TEST(Nfc, a_singleton_alone_is_noticed) {
  for (const char* text : {"\u1fbb", "\u1fd3", "\u2126", "\u0387", "\uf900", "\u0344", "\u0958"})
    EXPECT_TRUE(may_need_nfc(text)) << quoted(text);
}

TEST(Nfc, english_needs_none) {
  EXPECT_FALSE(may_need_nfc("Plain English, with caf\u00e9 and \u4e2d\u6587 \U0001F600."));
}

TEST(Nfc, a_megabyte_of_marks_in_the_worst_order_takes_no_more_than_a_moment) {
  std::string text = "a";
  for (int i = 0; i < 250'000; ++i) text += "\u0301\u0323";
  const std::string normal = nfc(text);
  EXPECT_EQ(normal.substr(0, 5), "\u1ea1\u0323");  // the marks below come first
}

}  // namespace
}  // namespace qn::text
