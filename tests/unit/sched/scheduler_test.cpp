#include "sched/scheduler.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

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
  static constexpr TokenId seven[] = {7};
  std::vector<Outcome> outcomes;
  for (const StepSequence& s : step.sequences) {
    if (s.reads > 0) outcomes.push_back({s.id, seven, next});
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

TEST(Scheduler, a_long_prompt_is_read_in_chunks_and_only_its_last_token_is_read_from) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(40)}));
  const Step a = plan_and_commit(scheduler), b = plan_and_commit(scheduler), c = plan_and_commit(scheduler), d = plan_and_commit(scheduler);
  EXPECT_EQ(a.sequences[0].tokens, tokens(16));
  EXPECT_EQ(a.sequences[0].reads, 0);
  EXPECT_EQ(b.sequences[0].first_position, 16);
  EXPECT_EQ(c.sequences[0].tokens.size(), 8u);
  EXPECT_EQ(c.sequences[0].reads, 1);
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

TEST(Scheduler, a_prompt_beside_replies_takes_no_more_rows_than_they_can_wait_for) {
  Limits limits = roomy;
  limits.prompt_rows_beside_replies = 5;
  Scheduler scheduler(limits);
  ASSERT_FALSE(scheduler.add({second, tokens(40)}));
  EXPECT_EQ(plan_and_commit(scheduler).rows(), roomy.max_batched_tokens) << "alone it takes all rows";
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  while (scheduler.counts().running < 2) plan_and_commit(scheduler);
  while (true) {
    const Step step = plan_and_commit(scheduler);
    if (step.sequences.size() == 2 && step.rows() == 2) break;
    int replies = 0;
    for (const StepSequence& s : step.sequences) replies += s.tokens.size() == 1;
    if (replies > 0) {
      EXPECT_LE(step.rows() - replies, 5);
    }
  }
  ASSERT_FALSE(scheduler.add({SequenceId{77}, tokens(50)}));
  const Step mixed = plan_and_commit(scheduler);
  EXPECT_EQ(mixed.rows(), 2 + 5);
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
  EXPECT_EQ(step.sequences[0].reads, 1);
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

// What a step holds, sorted: "1:16 2:4" is sixteen tokens of the first sequence and four of the second.
std::string told(const Step& step) {
  std::string text;
  for (const StepSequence& s : step.sequences)
    text += (text.empty() ? "" : " ") + std::to_string(s.id.value) + ":" + std::to_string(s.tokens.size());
  return text;
}

TEST(Scheduler, prompts_that_begin_alike_and_come_together_are_computed_once) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 64, .context_tokens = 200, .pages = 200, .page_tokens = 4});
  std::vector<TokenId> one = tokens(40), two = tokens(40), other = tokens(40, 50);
  two.push_back(99);
  ASSERT_FALSE(scheduler.add({first, one}));
  ASSERT_FALSE(scheduler.add({second, two}));
  ASSERT_FALSE(scheduler.add({third, other}));
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:40 3:24") << "the second waits, and holds up nobody";
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:1 2:1 3:16");
  EXPECT_EQ(scheduler.cached_tokens(second), 40);
}

TEST(Scheduler, who_waits_for_anothers_pages_goes_on_alone_when_that_one_is_cancelled) {
  Scheduler scheduler(roomy);
  ASSERT_FALSE(scheduler.add({first, tokens(60)}));
  ASSERT_FALSE(scheduler.add({second, tokens(60)}));
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:16");
  EXPECT_TRUE(scheduler.cancel(first));
  const Step step = scheduler.plan();
  EXPECT_EQ(told(step), "2:16");
  EXPECT_EQ(step.sequences[0].first_position, 16) << "with what there was";
}

TEST(Scheduler, another_salt_waits_for_nobody) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 64, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(20), .salt = 1}));
  ASSERT_FALSE(scheduler.add({.id = second, .prompt = tokens(20), .salt = 2}));
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:20 2:20");
}

TEST(Scheduler, guesses_take_only_rows_that_are_left) {
  Limits limits = roomy;
  limits.page_tokens = 8;
  Scheduler scheduler(limits);
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  plan_and_commit(scheduler);
  const std::vector<TokenId> drafts = tokens(6, 30);
  scheduler.suggest(first, drafts);
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:7");
  scheduler.suggest(first, drafts);
  ASSERT_FALSE(scheduler.add({second, tokens(90, 40)}));
  EXPECT_EQ(told(plan_and_commit(scheduler)), "1:1 2:15");
}

TEST(Scheduler, right_guesses_are_computed_and_wrong_ones_leave_nothing) {
  Limits limits = roomy;
  limits.page_tokens = 8;
  Scheduler scheduler(limits);
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  plan_and_commit(scheduler);  // four tokens, three computed
  scheduler.suggest(first, std::vector<TokenId>{7, 8, 9, 10, 11, 12});
  const Step step = scheduler.plan();
  EXPECT_EQ(step.sequences[0].reads, 7);
  EXPECT_EQ(step.sequences[0].drafts, 6);
  EXPECT_EQ(step.sequences[0].pages.size(), 2u);
  const std::vector<TokenId> said{7, 8, 20};
  const Outcome outcome{first, said, Next::go_on};
  scheduler.commit({&outcome, 1});
  EXPECT_EQ(scheduler.counts().pages_held, 1) << "seven tokens";
  const Step next = scheduler.plan();
  EXPECT_EQ(next.sequences[0].first_position, 6);
  EXPECT_EQ(next.sequences[0].tokens, std::vector<TokenId>{20});
}

// Requests of equal size, always enough of them waiting: how many of each tenant's were let in, after so many in all.
std::map<std::uint64_t, int> let_in(const std::map<std::uint64_t, double>& weights, int count) {
  Scheduler scheduler({.max_sequences = 2, .max_batched_tokens = 64, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  std::uint64_t id = 0;
  std::map<SequenceId, std::uint64_t> tenant_of;
  std::map<std::uint64_t, int> finished;
  const auto arrive = [&](std::uint64_t tenant) {
    tenant_of[{++id}] = tenant;
    EXPECT_FALSE(scheduler.add({.id = {id},
                                .prompt = tokens(10, static_cast<TokenId>(id % 1000) * 10),
                                .tenant = tenant,
                                .weight = weights.at(tenant),
                                .expected_tokens = 1}));
  };
  for (const auto& [tenant, weight] : weights) {
    for (int i = 0; i < 10; ++i) arrive(tenant);
  }
  for (int done = 0; done < count;) {
    for (const StepSequence& s : plan_and_commit(scheduler, Next::stop).sequences) {
      ++finished[tenant_of[s.id]];
      arrive(tenant_of[s.id]);
      ++done;
    }
  }
  return finished;
}

TEST(Fairness, tenants_who_all_want_more_than_there_is_get_it_by_weight) {
  std::map<std::uint64_t, int> got = let_in({{1, 1}, {2, 3}}, 400);
  EXPECT_NEAR(got[1], 100, 4);
  EXPECT_NEAR(got[2], 300, 4);
  got = let_in({{1, 1}, {2, 1}, {3, 0.5}}, 500);
  EXPECT_NEAR(got[1], 200, 4);
  EXPECT_NEAR(got[3], 100, 4);
}

TEST(Fairness, a_tenant_with_one_request_does_not_wait_behind_all_of_another) {
  Scheduler scheduler({.max_sequences = 1, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  for (std::uint64_t id = 1; id <= 20; ++id)
    ASSERT_FALSE(scheduler.add({.id = {id}, .prompt = tokens(10, static_cast<TokenId>(id)), .tenant = 1}));
  plan_and_commit(scheduler, Next::stop);
  ASSERT_FALSE(scheduler.add({.id = {100}, .prompt = tokens(10), .tenant = 2}));
  EXPECT_EQ(plan_and_commit(scheduler, Next::stop).sequences[0].id.value, 100u);
}

TEST(Fairness, a_reply_longer_than_expected_counts_against_the_next_request) {
  Scheduler scheduler({.max_sequences = 1, .context_tokens = 200, .pages = 64, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({.id = {1}, .prompt = tokens(10), .tenant = 1, .expected_tokens = 10}));
  ASSERT_FALSE(scheduler.add({.id = {2}, .prompt = tokens(10, 20), .tenant = 2, .expected_tokens = 40}));
  ASSERT_FALSE(scheduler.add({.id = {3}, .prompt = tokens(10, 30), .tenant = 3}));  // so that there is somebody all the time
  for (int i = 0; i < 100; ++i) plan_and_commit(scheduler);
  ASSERT_TRUE(scheduler.cancel({1}));
  ASSERT_FALSE(scheduler.add({.id = {4}, .prompt = tokens(10, 40), .tenant = 1}));
  ASSERT_FALSE(scheduler.add({.id = {5}, .prompt = tokens(10, 50), .tenant = 2}));
  std::vector<std::uint64_t> order;
  while (!scheduler.idle()) order.push_back(plan_and_commit(scheduler, Next::stop).sequences[0].id.value);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 5, 4}));
}

TEST(Fairness, priority_goes_before_turns) {
  Scheduler scheduler({.max_sequences = 1, .context_tokens = 100, .pages = 64, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(50), .tenant = 1}));
  ASSERT_FALSE(scheduler.add({.id = second, .prompt = tokens(3), .priority = -1, .tenant = 1}));
  ASSERT_FALSE(scheduler.add({.id = third, .prompt = tokens(3), .tenant = 2}));
  EXPECT_EQ(scheduler.plan().sequences[0].id, second);
}

TEST(Fairness, who_runs_is_never_preempted_for_a_newcomer_of_the_same_priority) {
  Scheduler scheduler({.max_sequences = 8, .max_batched_tokens = 16, .context_tokens = 100, .pages = 6, .page_tokens = 4});
  ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(4, 10), .tenant = 1, .expected_tokens = 90}));
  plan_and_commit(scheduler);
  ASSERT_FALSE(scheduler.add({.id = second, .prompt = tokens(4, 20), .tenant = 2}));
  while (scheduler.counts().preemptions == 0) plan_and_commit(scheduler);
  EXPECT_EQ(scheduler.plan().sequences[0].id, first);
}

TEST(StepsInFlight, the_next_step_is_planned_on_a_token_that_only_the_device_knows) {
  Limits limits = roomy;
  limits.depth = 1;
  Scheduler scheduler(limits);
  ASSERT_FALSE(scheduler.add({first, tokens(3)}));
  const Step one = scheduler.plan(), two = scheduler.plan();
  EXPECT_EQ(two.sequences[0].first_position, 3);
  EXPECT_EQ(two.sequences[0].tokens, std::vector<TokenId>{chosen_before});
  commit(scheduler, one);
  const Step three = scheduler.plan();
  EXPECT_EQ(three.sequences[0].tokens, std::vector<TokenId>{chosen_before});
  EXPECT_EQ(scheduler.tokens(first).size(), 4u);
  commit(scheduler, two, Next::stop);
  EXPECT_GT(scheduler.counts().pages_held, 0) << "the third may still be written";
  scheduler.commit({});
  EXPECT_EQ(scheduler.counts().pages_held, 0);
  EXPECT_TRUE(scheduler.idle());
}

TEST(StepsInFlight, who_must_know_its_token_waits_for_it) {
  Limits limits = roomy;
  limits.depth = 1;
  Scheduler scheduler(limits);
  ASSERT_FALSE(scheduler.add({.id = first, .prompt = tokens(3), .ahead = false}));
  const Step one = scheduler.plan();
  EXPECT_TRUE(scheduler.plan().sequences.empty());
  commit(scheduler, one);
  EXPECT_EQ(told(scheduler.plan()), "1:1");
}

}  // namespace
}  // namespace qn::sched
