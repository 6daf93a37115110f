#include "cli/terminal/reply_printer.h"

#include <gtest/gtest.h>

#include <functional>

#include "cli/terminal/safe_text.h"

namespace qn::cli {
namespace {

std::string printed(const ReplyStyle& style, const std::function<void(ReplyPrinter&)>& use) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  ReplyPrinter printer(out, style);
  use(printer);
  std::fclose(out);
  std::string copy(text, size);
  std::free(text);
  return copy;
}

void think_then_answer(ReplyPrinter& printer) {
  printer.thinking("two and ");
  printer.thinking("two");
  printer.content("4");
  printer.finish();
}

TEST(ReplyPrinter, thinking_is_marked_and_followed_by_an_empty_line) {
  EXPECT_EQ(printed({}, think_then_answer), "Thinking...\ntwo and two\n...done thinking.\n\n4\n");
}

TEST(ReplyPrinter, thinking_is_dimmed_where_there_are_colours) {
  EXPECT_EQ(printed({.terminal = true, .colour = true}, think_then_answer),
            "\x1b[2mThinking...\ntwo and two\n...done thinking.\n\x1b[0m\n4\n");
}

TEST(ReplyPrinter, hidden_thinking_leaves_the_answer_alone) {
  EXPECT_EQ(printed({.hide_thinking = true}, think_then_answer), "4\n");
}

TEST(ReplyPrinter, a_reply_cut_while_thinking_ends_the_dimming) {
  const std::string text = printed({.terminal = true, .colour = true}, [](ReplyPrinter& printer) {
    printer.thinking("hm");
    printer.finish();
  });
  EXPECT_EQ(text, "\x1b[2mThinking...\nhm\x1b[0m\n");
}

TEST(ReplyPrinter, a_reply_that_ends_its_line_gets_no_second_line_end) {
  EXPECT_EQ(printed({}, [](ReplyPrinter& p) { p.content("done\n"), p.finish(); }), "done\n");
}

TEST(ReplyPrinter, an_empty_reply_prints_nothing) {
  EXPECT_EQ(printed({}, [](ReplyPrinter& p) { p.thinking(""), p.content(""), p.finish(); }), "");
}

TEST(ReplyPrinter, escape_sequences_of_a_reply_do_not_reach_a_terminal) {
  const std::string text = printed({.terminal = true}, [](ReplyPrinter& p) {
    p.content(
        "\x1b]0;owned\x07"
        "a\x9b"),
        p.finish();
  });
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
}

TEST(ReplyPrinter, a_file_gets_the_reply_as_it_is) {
  EXPECT_EQ(printed({}, [](ReplyPrinter& p) { p.content("a\x1b[31mb\r\nc"), p.finish(); }), "a\x1b[31mb\r\nc\n");
}

TEST(SafeText, control_characters_become_visible_and_text_stays) {
  EXPECT_EQ(without_controls("a\x1b[2Jb\tc\nd"), "a\xef\xbf\xbd[2Jb\tc\nd");
  EXPECT_EQ(without_controls("你好\x7f"), "你好\xef\xbf\xbd");
  EXPECT_EQ(without_controls("one\r\ntwo\rthree"), "one\ntwo\xef\xbf\xbdthree");
  EXPECT_EQ(without_controls("\xc2\x9b"), "\xef\xbf\xbd");  // CSI as one C1 character
}

}  // namespace
}  // namespace qn::cli
