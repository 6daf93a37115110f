#include "base/utf8.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace qn {
namespace {

TEST(Utf8, decode_and_append_are_inverse_for_every_code_point) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    utf8::append(text, c);
    const utf8::Decoded back = utf8::decode(text);
    ASSERT_TRUE(back.valid);
    ASSERT_EQ(back.code_point, c);
    ASSERT_EQ(static_cast<std::size_t>(back.bytes), text.size());
    ASSERT_EQ(utf8::complete_prefix(text), text.size());
    for (std::size_t cut = 1; cut < text.size(); ++cut) ASSERT_EQ(utf8::complete_prefix(text.substr(0, cut)), 0u);
  }
}

TEST(Utf8, overlong_forms_surrogates_and_large_values_are_invalid) {
  for (const char* bad : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xFF", "\x80"})
    EXPECT_FALSE(utf8::is_valid(bad));
}

// Unicode 15, table 3-11: one U+FFFD for each maximal subpart.
TEST(Utf8, each_maximal_subpart_becomes_one_replacement_character) {
  EXPECT_EQ(utf8::replace_invalid("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"), "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
}

TEST(Quoted, control_bytes_and_invalid_bytes_are_escaped_and_long_text_is_clipped) {
  EXPECT_EQ(quoted("a\x1b[0m\xff"), "'a\\x1b[0m\\xff'");
  EXPECT_EQ(quoted(std::string(100, 'x'), 8), "'xxxxxxxx…'");
}

}  // namespace
}  // namespace qn
