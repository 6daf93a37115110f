#include <gtest/gtest.h>

#include "cli/chat/message_assembler.h"
#include "cli/chat/slash.h"

namespace qn::cli {
namespace {

using Kind = MessageAssembler::Kind;

TEST(MessageAssembler, one_line_is_one_message) {
  MessageAssembler message;
  EXPECT_EQ(message.push("hello", Kind::typed)->text, "hello");
  EXPECT_FALSE(message.open());
}

TEST(MessageAssembler, triple_quotes_hold_lines_together) {
  MessageAssembler message;
  EXPECT_FALSE(message.push("\"\"\"one", Kind::typed));
  EXPECT_TRUE(message.open());
  EXPECT_FALSE(message.push("", Kind::typed));
  const auto entered = message.push("two\"\"\"", Kind::typed);
  ASSERT_TRUE(entered);
  EXPECT_EQ(entered->text, "one\n\ntwo");
  EXPECT_TRUE(entered->quoted);
}

TEST(MessageAssembler, quotes_on_lines_of_their_own_add_no_lines) {
  MessageAssembler message;
  message.push("\"\"\"", Kind::typed);
  message.push("one", Kind::typed);
  message.push("two", Kind::typed);
  EXPECT_EQ(message.push("\"\"\"", Kind::typed)->text, "one\ntwo");
}

TEST(MessageAssembler, quotes_may_open_and_close_on_one_line) {
  MessageAssembler message;
  EXPECT_EQ(message.push("\"\"\"/bye\"\"\"", Kind::typed)->text, "/bye");
}

TEST(MessageAssembler, a_system_message_may_span_lines) {
  MessageAssembler message;
  EXPECT_FALSE(message.push("/set system \"\"\"one", Kind::typed));
  const auto entered = message.push("two\"\"\"", Kind::typed);
  ASSERT_TRUE(entered);
  EXPECT_EQ(entered->text, "/set system one\ntwo");
  EXPECT_FALSE(entered->quoted);
}

TEST(MessageAssembler, pasted_lines_are_one_message) {
  MessageAssembler message;
  EXPECT_FALSE(message.push("int a;", Kind::pasted));
  EXPECT_FALSE(message.push("", Kind::pasted));
  EXPECT_EQ(message.push("int b;", Kind::typed)->text, "int a;\n\nint b;");
}

TEST(MessageAssembler, a_reset_forgets_open_quotes) {
  MessageAssembler message;
  message.push("\"\"\"one", Kind::typed);
  message.reset();
  EXPECT_EQ(message.push("two", Kind::typed)->text, "two");
}

TEST(Slash, a_command_and_its_rest_are_taken_apart) {
  const auto line = read_slash("/set  parameter temperature 0.5 ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->command, Slash::set);
  EXPECT_EQ(line->rest, "parameter temperature 0.5");
}

TEST(Slash, exit_and_question_mark_are_other_names) {
  EXPECT_EQ(read_slash("/exit")->command, Slash::bye);
  EXPECT_EQ(read_slash("/? shortcuts")->command, Slash::help);
}

TEST(Slash, an_unknown_command_keeps_its_name) {
  const auto line = read_slash("/foo bar");
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->command);
  EXPECT_EQ(line->name, "/foo");
}

TEST(Slash, a_message_or_a_path_is_no_command) {
  EXPECT_FALSE(read_slash("hello /bye"));
  EXPECT_FALSE(read_slash("/usr/bin/env is what?"));
}

}  // namespace
}  // namespace qn::cli
