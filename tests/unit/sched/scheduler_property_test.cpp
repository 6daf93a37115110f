// A seed makes limits, requests, arrivals and cancels, and drives the scheduler against the fake device. After every call the
// pages add up; at the end everyone has the reply that they get alone.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "sched/scheduler.h"
#include "unit/sched/fake_device.h"

namespace qn::sched {
namespace {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  int between(int low, int high) {  // both included
    return low + static_cast<int>(philox(seed_, count_++)[0] % static_cast<std::uint32_t>(high - low + 1));
  }
  bool one_in(int n) { return between(1, n) == 1; }

 private:
  std::uint64_t seed_, count_ = 0;
};

struct Case {
  std::vector<TokenId> prompt;
  int reply_tokens;
  int arrives, leaves;  // by step; leaves < 0: stays to the end
  std::uint64_t salt;
  int priority;
  std::vector<TokenId> reply = {};
  bool cancelled = false;
};

struct Story {
  std::string trace;  // every step, to the page
  std::string wrong;  // the first property that did not hold, or empty
  Counts end;
  int steps = 0;
  int cached_tokens = 0;
};

Limits random_limits(Dice& dice) {
  Limits limits;
  limits.page_tokens = dice.between(1, 8);
  limits.max_batched_tokens = dice.between(1, 24);
  limits.max_sequences = dice.between(1, 8);
  limits.pages = dice.between(2, 40) * dice.between(1, 2);
  limits.context_tokens = dice.between(2, 120);
  return limits;
}

std::vector<Case> random_cases(Dice& dice, int longest) {
  std::vector<TokenId> common;
  for (int i = 0; i < longest; ++i) common.push_back(dice.between(0, 2));
  std::vector<Case> cases;
  for (int count = dice.between(1, 14); count > 0; --count) {
    const int prompt_tokens = dice.between(1, longest - 1);
    const int shared = dice.one_in(3) ? 0 : dice.between(0, prompt_tokens);
    std::vector<TokenId> prompt(common.begin(), common.begin() + shared);
    while (static_cast<int>(prompt.size()) < prompt_tokens) prompt.push_back(dice.between(0, 2));
    cases.push_back({.prompt = prompt,
                     .reply_tokens = dice.between(1, longest - prompt_tokens),
                     .arrives = dice.between(0, 30),
                     .leaves = dice.one_in(4) ? dice.between(0, 60) : -1,
                     .salt = static_cast<std::uint64_t>(dice.one_in(4)),
                     .priority = dice.one_in(4) ? dice.between(-1, 1) : 0});
  }
  return cases;
}

Story run(std::uint64_t seed) {
  Dice dice(seed);
  const Limits limits = random_limits(dice);
  Scheduler scheduler(limits);
  FakeDevice device(limits.pages, limits.page_tokens);
  std::vector<Case> cases = random_cases(dice, scheduler.longest());
  Story out;
  const auto demand = [&](bool holds, const char* what) {
    if (!holds && out.wrong.empty()) out.wrong = what;
  };
  const auto id_of = [&](std::size_t i) { return SequenceId{100 + i}; };
  const auto pages_add_up = [&] {
    const Counts c = scheduler.counts();
    demand(c.pages_free >= 0 && c.pages_cached >= 0 && c.pages_held >= 0, "a count of pages is negative");
    demand(c.pages_free + c.pages_cached + c.pages_held == limits.pages, "free + cached + held != total");
  };
  const auto cancel_if_due = [&](std::size_t i, int now) {
    Case& c = cases[i];
    if (c.leaves == now && c.arrives <= now && !c.cancelled && scheduler.cancel(id_of(i))) c.cancelled = true;
    pages_add_up();
  };

  std::map<PageId, std::uint64_t> salt_of;  // by whom a page was written last
  int& now = out.steps;
  for (; out.wrong.empty(); ++now) {
    bool more_to_come = false;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      if (cases[i].arrives == now)
        demand(!scheduler.add({id_of(i), cases[i].prompt, cases[i].salt, cases[i].priority}), "refused what fits");
      more_to_come |= cases[i].arrives > now;
      if (i % 2 == 0) cancel_if_due(i, now);  // between steps
    }
    if (scheduler.idle() && !more_to_come) break;
    demand(now < 20000, "does not end");

    const Step step = scheduler.plan();
    pages_add_up();
    demand(step.rows() <= limits.max_batched_tokens, "too many rows");
    demand(static_cast<int>(step.sequences.size()) <= limits.max_sequences, "too many sequences");
    std::set<PageId> held, written;
    for (const StepSequence& s : step.sequences) {
      demand(!s.tokens.empty(), "a sequence without tokens is in the step");
      const int end = s.first_position + static_cast<int>(s.tokens.size());
      demand(static_cast<int>(s.pages.size()) == (end + limits.page_tokens - 1) / limits.page_tokens,
             "more or fewer pages than tokens need");
      held.insert(s.pages.begin(), s.pages.end());
      out.trace += std::to_string(s.id.value) + "@" + std::to_string(s.first_position) + "+" + std::to_string(s.tokens.size()) + ":";
      for (const PageId page : s.pages) out.trace += std::to_string(page.value) + ",";
      for (std::size_t p = static_cast<std::size_t>(s.first_position / limits.page_tokens); p < s.pages.size(); ++p) {
        demand(written.insert(s.pages[p]).second, "two sequences write to one page");
      }
    }
    for (const StepSequence& s : step.sequences) {
      const std::uint64_t salt = cases[static_cast<std::size_t>(s.id.value - 100)].salt;
      for (std::size_t p = static_cast<std::size_t>(s.first_position / limits.page_tokens); p < s.pages.size(); ++p)
        salt_of[s.pages[p]] = salt;
      for (std::size_t p = 0; p < static_cast<std::size_t>(s.first_position / limits.page_tokens); ++p) {
        demand(!written.contains(s.pages[p]), "a page that one sequence reads is written by another");
        demand(salt_of[s.pages[p]] == salt, "a sequence reads pages of another salt");
      }
    }
    for (std::size_t i = 1; i < cases.size(); i += 2) cancel_if_due(i, now);  // while the step is in flight
    demand(scheduler.counts().pages_held >= static_cast<int>(held.size()), "pages of the step in flight were given up");

    const std::vector<TokenId> sampled = device.run(step);
    std::vector<Outcome> outcomes;
    std::size_t next = 0;
    for (const StepSequence& s : step.sequences) {
      if (!s.wants_logits) continue;
      Case& c = cases[static_cast<std::size_t>(s.id.value - 100)];
      const TokenId token = sampled[next++];
      if (c.cancelled) continue;
      c.reply.push_back(token);
      const bool done = static_cast<int>(c.reply.size()) == c.reply_tokens;
      outcomes.push_back({s.id, token, done ? Next::stop : Next::go_on});
      if (done) out.cached_tokens += scheduler.cached_tokens(s.id);
    }
    scheduler.commit(outcomes);
    pages_add_up();
    out.trace += "\n";
  }
  out.end = scheduler.counts();
  demand(out.end.pages_held == 0, "pages are held with nobody there");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    std::vector<TokenId> expected = FakeDevice::alone(c.prompt, c.reply_tokens);
    if (c.cancelled) expected.resize(c.reply.size());
    demand(c.reply == expected, "a reply differs from the one given alone");
    demand(!scheduler.contains(id_of(i)), "a sequence did not finish");
  }
  return out;
}

TEST(SchedulerProperties, everyone_gets_the_reply_they_get_alone_and_pages_always_add_up) {
  std::uint64_t preemptions = 0, steps = 0, cached_tokens = 0;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const Story result = run(seed);
    ASSERT_EQ(result.wrong, "") << "seed " << seed;
    preemptions += result.end.preemptions;
    steps += static_cast<std::uint64_t>(result.steps);
    cached_tokens += static_cast<std::uint64_t>(result.cached_tokens);
  }
  EXPECT_GT(preemptions, 1000u) << "the cases must be tight enough to preempt";
  EXPECT_GT(cached_tokens, 10000u) << "and alike enough to share";
  RecordProperty("steps", std::to_string(steps));
}

TEST(SchedulerProperties, the_same_seed_gives_the_same_trace) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) ASSERT_EQ(run(seed).trace, run(seed).trace) << "seed " << seed;
}

}  // namespace
}  // namespace qn::sched
