// A toy dialect, added as docs/ADDING.md says: templates are known by it and replies are read by it.
#include <gtest/gtest.h>

#include "text/chat/reply_parser.h"

namespace qn::text {
namespace {

TEST(Extend, a_dialect_is_one_file) {
  const Dialect dialect = find_dialect("{{ '@@' }}", [](std::string_view) { return false; });
  ASSERT_EQ(dialect.name, "toy");
  ReplyParser parser(dialect, "", {.tools = {{"add"}}});
  const auto parts = parser.push("so: @@add{\"a\": 1}@@");
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].text, "so:");
  EXPECT_EQ(parts[1].text, "add");
  EXPECT_EQ(parts[2].text, "{\"a\": 1}");
  EXPECT_EQ(parts[3].kind, ReplyPart::Kind::call_end);
}

}  // namespace
}  // namespace qn::text
