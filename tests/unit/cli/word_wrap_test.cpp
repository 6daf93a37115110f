#include "cli/terminal/word_wrap.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/utf8.h"
#include "cli/terminal/columns.h"

namespace qn::cli {
namespace {

// A screen that knows what WordWrap writes: text, line ends, "n columns left" and "clear to the end of the line".
std::vector<std::string> screen(std::string_view written) {
  std::vector<std::string> lines{""};
  while (!written.empty()) {
    if (written.starts_with("\x1b[")) {
      const std::size_t end = written.find_first_of("DK");
      if (written[end] == 'D') {
        int columns = std::stoi(std::string(written.substr(2, end - 2)));
        while (columns > 0) {  // words that are taken back are one column a character
          lines.back().pop_back();
          --columns;
        }
      }
      written.remove_prefix(end + 1);
    } else if (written.front() == '\n') {
      lines.emplace_back();
      written.remove_prefix(1);
    } else {
      const utf8::Decoded c = utf8::decode(written);
      lines.back() += written.substr(0, static_cast<std::size_t>(c.bytes));
      written.remove_prefix(static_cast<std::size_t>(c.bytes));
    }
  }
  return lines;
}

std::vector<std::string> shown(std::string_view text, int columns) {
  WordWrap wrap(columns);
  std::string written;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = static_cast<std::size_t>(utf8::decode(text.substr(i)).bytes);
    written += wrap.push(text.substr(i, bytes));
    i += bytes;
  }
  return screen(written);
}

TEST(WordWrap, a_word_that_does_not_fit_moves_to_the_next_line) {
  EXPECT_EQ(shown("one two three four five", 20), (std::vector<std::string>{"one two three ", "four five"}));
}

TEST(WordWrap, no_line_is_longer_than_the_terminal_less_its_margin) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += std::string(static_cast<std::size_t>(1 + i * 7 % 12), 'a') + " ";
  for (const std::string& line : shown(text, 40)) EXPECT_LE(line.size(), 36u) << line;
}

TEST(WordWrap, words_keep_their_order_and_letters) {
  std::string text, joined;
  for (int i = 0; i < 100; ++i) text += "word" + std::to_string(i) + " ";
  for (const std::string& line : shown(text, 33)) joined += line + (line.ends_with(' ') || line.empty() ? "" : " ");
  EXPECT_EQ(joined, text);
}

TEST(WordWrap, a_word_longer_than_a_line_is_cut) {
  const std::vector<std::string> lines = shown(std::string(40, 'x'), 20);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].size(), 15u);
}

TEST(WordWrap, chinese_breaks_anywhere_and_counts_two_columns) {
  const std::vector<std::string> lines = shown("一二三四五六七八九十", 20);
  EXPECT_EQ(lines, (std::vector<std::string>{"一二三四五六七", "八九十"}));
}

TEST(WordWrap, a_chinese_full_stop_does_not_begin_a_line) {
  EXPECT_EQ(shown("一二三四五六七。八", 20), (std::vector<std::string>{"一二三四五六七。", "八"}));
}

TEST(WordWrap, line_ends_of_the_text_begin_anew) {
  EXPECT_EQ(shown("one\ntwo three\n", 20), (std::vector<std::string>{"one", "two three", ""}));
}

TEST(WordWrap, a_narrow_terminal_is_left_alone) {
  EXPECT_EQ(shown("one two three four five six", 10), (std::vector<std::string>{"one two three four five six"}));
}

TEST(Columns, combining_marks_take_no_room) {
  EXPECT_EQ(columns_of("e\xcc\x81"), 1);
  EXPECT_EQ(columns_of("你好"), 4);
  EXPECT_EQ(columns_of("abc"), 3);
}

}  // namespace
}  // namespace qn::cli
