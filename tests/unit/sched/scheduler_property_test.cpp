// What holds for every story that a seed can tell (story.h).
#include <gtest/gtest.h>

#include "unit/sched/story.h"

namespace qn::sched {
namespace {

class SchedulerProperties : public testing::TestWithParam<int> {};  // steps planned ahead

TEST_P(SchedulerProperties, everyone_gets_the_reply_they_get_alone_and_pages_always_add_up) {
  std::uint64_t preemptions = 0;
  int cached_tokens = 0, accepted = 0, refused = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const Story story = tell(seed, GetParam());
    ASSERT_EQ(story.wrong, "") << "seed " << seed;
    preemptions += story.end.preemptions;
    cached_tokens += story.cached_tokens;
    accepted += story.accepted_drafts;
    refused += story.refused_drafts;
  }
  EXPECT_GT(preemptions, 1000u) << "the cases must be tight enough to preempt";
  EXPECT_GT(cached_tokens, 10000) << "alike enough to share";
  EXPECT_GT(accepted, 10000) << "and guesses right often enough";
  EXPECT_GT(refused, 5000) << "and wrong too";
}

TEST_P(SchedulerProperties, the_same_seed_gives_the_same_trace) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    ASSERT_EQ(tell(seed, GetParam()).trace, tell(seed, GetParam()).trace) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Depths, SchedulerProperties, testing::Values(0, 1, 2),
                         [](const auto& tested) { return "depth_" + std::to_string(tested.param); });

}  // namespace
}  // namespace qn::sched
