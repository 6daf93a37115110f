#include "serve/stop_strings.h"

#include <gtest/gtest.h>

namespace qn::serve {
namespace {

std::string shown(StopStrings& stops, std::string_view text, std::size_t piece) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += piece) out += stops.push(text.substr(i, piece));
  return out + stops.finish();
}

TEST(StopStrings, a_stop_string_split_over_two_tokens_is_never_shown) {
  StopStrings stops({"STOP"});
  EXPECT_EQ(stops.push("one ST"), "one ");
  EXPECT_EQ(stops.push("OP two"), "");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.push("three"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, what_only_began_like_a_stop_is_shown_in_the_end) {
  StopStrings stops({"STOP"});
  EXPECT_EQ(shown(stops, "a STO", 1), "a STO");
  EXPECT_FALSE(stops.stopped());
}

TEST(StopStrings, the_pieces_make_no_difference) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    StopStrings stops({"aab", "xyz"});
    EXPECT_EQ(shown(stops, "aaaaab xyz", piece), "aaa") << piece;
  }
}

TEST(StopStrings, the_first_of_several_wins) {
  StopStrings stops({"world", "o w"});
  EXPECT_EQ(shown(stops, "hello world", 3), "hell");
}

TEST(StopStrings, none_and_empty_ones_stop_nothing) {
  StopStrings none({}), empty({""});
  EXPECT_EQ(shown(none, "text", 2), "text");
  EXPECT_EQ(shown(empty, "text", 2), "text");
}

}  // namespace
}  // namespace qn::serve
