#include "sched/scheduler.h"

#include <gtest/gtest.h>

#include "unit/sched/fake_device.h"

namespace qn::sched {
namespace {

std::vector<TokenId> tokens(int count, TokenId first = 0) {
  std::vector<TokenId> out;
  for (int i = 0; i < count; ++i) out.push_back(first + i);
  return out;
}

// Commits the step with token 7 for everyone who wants one.
void commit(Scheduler& scheduler, const Step& step, Next next = Next::go_on) {
  std::vector<Outcome> outcomes;
  for (const StepSequence& s : step.sequences) {
    if (s.wants_logits) outcomes.push_back({s.id, 7, next});
  }
  scheduler.commit(outcomes);
}

Step plan_and_commit(Scheduler& scheduler, Next next = Next::go_on) {
  Step step = scheduler.plan();
  commit(scheduler, step, next);
  return step;
}

constexpr SequenceId first{1}, second{2}, third{3};
constexpr Limits roomy{.max_sequences = 8, .max_batched_tokens = 16, .context_tokens = 100, .pages = 64, .page_tokens = 4};

TEST(Scheduler, nothing_to_do_is_an_empty_step) {
  Scheduler scheduler(roomy);
  EXPECT_TRUE(scheduler.plan().sequences.empty());
  EXPECT_TRUE(scheduler.idle());
}

TEST(Scheduler, a_long_prompt_is_read_in_chunks_and_only_its_last_token_wants_logits) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(40)}));
  const Step a = plan_and_commit(scheduler), b = plan_and_commit(scheduler), c = plan_and_commit(scheduler), d = plan_and_commit(scheduler);
  EXPECT_EQ(a.sequences[0].tokens, tokens(16));
  EXPECT_FALSE(a.sequences[0].wants_logits);
  EXPECT_EQ(b.sequences[0].first_position, 16);
  EXPECT_EQ(c.sequences[0].tokens.size(), 8u);
  EXPECT_TRUE(c.sequences[0].wants_logits);
  EXPECT_EQ(d.sequences[0].first_position, 40);
  EXPECT_EQ(d.sequences[0].tokens, std::vector<TokenId>{7});
}

TEST(Scheduler, a_decode_is_in_every_step_while_long_prompts_are_read) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  plan_and_commit(scheduler);
  ASSERT_FALSE(scheduler.add({second, tokens(90)}));
  for (int step = 0; step < 6; ++step) {
    const Step planned = plan_and_commit(scheduler);
    ASSERT_EQ(planned.sequences.size(), 2u);
    EXPECT_EQ(planned.sequences[0].id, first);
    EXPECT_EQ(planned.sequences[0].tokens.size(), 1u);
    EXPECT_EQ(planned.sequences[1].tokens.size(), 15u) << "the prompt takes what rows are left";
  }
}

TEST(Scheduler, a_prompt_that_could_never_fit_is_refused_with_the_numbers) {
  Scheduler by_context({.context_tokens = 10, .pages = 64, .page_tokens = 4});
  const auto refused = by_context.add({first, tokens(10)});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->prompt_tokens, 10);
  EXPECT_EQ(refused->longest_prompt, 9);
  EXPECT_FALSE(by_context.add({first, tokens(9)}));

  Scheduler by_pages({.context_tokens = 1000, .pages = 2, .page_tokens = 4});
  EXPECT_EQ(by_pages.add({first, tokens(8)})->longest_prompt, 7);
  EXPECT_FALSE(by_pages.add({first, tokens(7)}));
}

TEST(Scheduler, a_second_request_with_the_same_beginning_finds_it_computed) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(10)}));
  plan_and_commit(scheduler, Next::stop);
  ASSERT_FALSE(scheduler.add({second, tokens(12)}));
  const Step step = scheduler.plan();
  EXPECT_EQ(step.sequences[0].first_position, 8) << "two full pages of four";
  EXPECT_EQ(scheduler.cached_tokens(second), 8);
}

TEST(Scheduler, a_prompt_that_is_wholly_cached_still_computes_its_last_page) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(8)}));
  plan_and_commit(scheduler, Next::stop);
  ASSERT_FALSE(scheduler.add({second, tokens(8)}));
  const Step step = scheduler.plan();
  EXPECT_EQ(step.sequences[0].first_position, 4);
  EXPECT_TRUE(step.sequences[0].wants_logits);
}

TEST(Scheduler, another_salt_shares_nothing) {
  for (const std::uint64_t salt : {0, 1}) {
    Scheduler scheduler(roomy);
    ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(10), .salt = salt}));
    plan_and_commit(scheduler, Next::stop);
    ASSERT_FALSE(scheduler.add({.id = second, .prompt = tokens(10), .salt = 1 - salt}));
    EXPECT_EQ(scheduler.plan().sequences[0].first_position, 0);
  }
}

TEST(Scheduler, a_request_cancelled_in_flight_holds_its_pages_until_the_step_commits) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(10)}));
  const Step step = scheduler.plan();
  EXPECT_TRUE(scheduler.cancel(first));
  EXPECT_FALSE(scheduler.cancel(first)) << "it is gone already";
  EXPECT_EQ(scheduler.counts().pages_held, 3);
  scheduler.commit({});
  EXPECT_EQ(scheduler.counts().pages_held, 0);
  EXPECT_EQ(scheduler.counts().pages_cached, 0) << "what a cancelled step wrote is not trusted";
  EXPECT_TRUE(scheduler.idle());
}

TEST(Scheduler, a_request_cancelled_between_steps_is_gone_at_once) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  plan_and_commit(scheduler);
  EXPECT_TRUE(scheduler.cancel(first));
  EXPECT_EQ(scheduler.counts().pages_held, 0);
  EXPECT_TRUE(scheduler.idle());
}

TEST(Scheduler, a_request_cancelled_while_it_waits_never_runs) {
  Scheduler scheduler({.max_sequences = 1, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  ASSERT_FALSE(scheduler.add({second, tokens(3)}));
  plan_and_commit(scheduler);
  EXPECT_TRUE(scheduler.cancel(second));
  plan_and_commit(scheduler, Next::stop);
  EXPECT_TRUE(scheduler.idle());
}

TEST(Scheduler, an_unknown_request_cannot_be_cancelled) {
  EXPECT_FALSE(Scheduler(roomy).cancel(first));
}

TEST(Scheduler, when_pages_run_out_the_youngest_gives_its_own_and_comes_back) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 16, .context_tokens = 100, .pages = 6, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({first, tokens(4, 10)}));
  ASSERT_FALSE(scheduler.add({second, tokens(4, 20)}));
  while (scheduler.counts().preemptions == 0) plan_and_commit(scheduler);
  EXPECT_EQ(scheduler.counts().waiting, 1);
  EXPECT_EQ(scheduler.plan().sequences[0].id, first);
  EXPECT_TRUE(scheduler.cancel(first));
  scheduler.commit({});
  const Step back = scheduler.plan();
  ASSERT_EQ(back.sequences.size(), 1u);
  EXPECT_EQ(back.sequences[0].id, second);
  EXPECT_GT(scheduler.tokens(second).size(), 4u) << "its reply so far is kept, and read again";
}

TEST(Scheduler, a_large_request_at_the_head_is_not_overtaken) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 64, .context_tokens = 100, .pages = 8, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({first, tokens(10, 10)}));
  plan_and_commit(scheduler);
  ASSERT_FALSE(scheduler.add({second, tokens(30, 20)}));
  ASSERT_FALSE(scheduler.add({third, tokens(2, 60)}));
  EXPECT_EQ(plan_and_commit(scheduler).sequences.size(), 1u);
  EXPECT_EQ(scheduler.counts().waiting, 2);
}

TEST(Scheduler, a_lower_priority_number_goes_first) {
  Scheduler scheduler({.max_sequences = 1, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(3), .priority = 1}));
  ASSERT_FALSE(scheduler.add({.id = second, .prompt = tokens(3), .priority = 0}));
  EXPECT_EQ(scheduler.plan().sequences[0].id, second);
}

TEST(Scheduler, more_sequences_than_rows_are_never_run_at_once) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 2, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  for (std::uint64_t id = 1; id <= 4; ++id) ASSERT_FALSE(scheduler.add({SequenceId{id}, tokens(1)}));
  for (int step = 0; step < 3; ++step)
    EXPECT_EQ(plan_and_commit(scheduler).sequences.size(), 2u) << "each running one decodes in each step";
}

}  // namespace
}  // namespace qn::sched
