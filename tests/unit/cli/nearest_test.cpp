#include "cli/nearest.h"

#include <gtest/gtest.h>

namespace qn::cli {
namespace {

constexpr std::string_view flags[] = {"--temp", "--top-k", "--top-p", "--threads", "--verbose"};

TEST(Nearest, counts_edits_and_swaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("versoin", "version"), 1);
  EXPECT_EQ(edit_distance("same", "same"), 0);
}

TEST(Nearest, a_typing_error_finds_its_flag) {
  EXPECT_EQ(nearest("--tmep", flags), "--temp");
  EXPECT_EQ(nearest("--treads", flags), "--threads");
  EXPECT_EQ(nearest("--verb", flags), "--verbose");
}

TEST(Nearest, something_else_entirely_finds_nothing) {
  EXPECT_EQ(nearest("--quantum", flags), std::nullopt);
  EXPECT_EQ(nearest(std::string(100000, 'x'), flags), std::nullopt);
  EXPECT_EQ(did_you_mean("--quantum", flags), "");
}

}  // namespace
}  // namespace qn::cli
