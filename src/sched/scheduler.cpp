#include "sched/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sched/policy.h"

namespace qn::sched {
namespace {

void insert_in_order(std::vector<Sequence*>& list, Sequence& sequence) {
  list.insert(std::ranges::upper_bound(list, &sequence, goes_before), &sequence);
}

// How many of its first tokens a sequence may find computed: never the last, as something is chosen after it, and none whose row is
// still to be read.
int may_find(const Sequence& sequence) {
  const int all_but_last = sequence.size() - 1;
  return sequence.reads == Reads::every_row ? std::min(sequence.seen, all_but_last) : all_but_last;
}

// What the sequence expected of its reply is known now.
double expected_too_little(const Sequence& sequence) {
  return static_cast<double>(sequence.tokens.size()) - sequence.prompt_tokens - sequence.expected_tokens;
}

}  // namespace

Scheduler::Scheduler(const Limits& limits) : limits_(limits), pool_(limits.pages, limits.page_tokens) {
  QN_CHECK(limits.max_sequences > 0 && limits.max_batched_tokens > 0 && limits.context_tokens > 0, "limits leave room to work");
  limits_.max_sequences = std::min(limits.max_sequences, limits.max_batched_tokens);
}

int Scheduler::longest() const {
  return static_cast<int>(std::min<std::int64_t>(limits_.context_tokens, std::int64_t{pool_.total()} * limits_.page_tokens));
}

std::optional<TooLong> Scheduler::add(Request request) {
  QN_CHECK(!request.prompt.empty() && request.weight > 0 && request.rows_a_step > 0, "a sequence starts with a token, and gets rows");
  if (request.prompt.size() >= static_cast<std::size_t>(longest())) {
    return TooLong{static_cast<int>(request.prompt.size()), longest() - 1};
  }
  const int prompt_tokens = static_cast<int>(request.prompt.size());
  auto sequence = std::make_unique<Sequence>(
      Sequence{.id = request.id,
               .tokens = std::move(request.prompt),
               .prompt_tokens = prompt_tokens,
               .expected_tokens = request.expected_tokens,
               .salt = request.salt,
               .tenant = request.tenant,
               .weight = request.weight,
               .priority = request.priority,
               .turn = turns_.arrive(request.tenant, request.weight, static_cast<double>(prompt_tokens) + request.expected_tokens),
               .arrival = arrivals_++,
               .reads = request.reads,
               .rows_a_step = request.rows_a_step,
               .ahead = request.ahead});
  insert_in_order(waiting_, *sequence);
  const bool is_new = all_.emplace(request.id.value, std::move(sequence)).second;
  QN_CHECK(is_new, "sequence ids are unique");
  return std::nullopt;
}

bool Scheduler::cancel(SequenceId id) {
  const auto found = all_.find(id.value);
  if (found == all_.end() || found->second->leaving) return false;
  Sequence& sequence = *found->second;
  if (sequence.in_flight > 0) {
    depart(sequence, &Sequence::leaving);  // the device may still write to its pages
  } else {
    remove(sequence);
  }
  return true;
}

void Scheduler::suggest(SequenceId id, std::span<const TokenId> drafts) {
  const auto found = all_.find(id.value);
  QN_CHECK(found != all_.end(), "guesses are about a sequence that is there");
  found->second->drafts.assign(drafts.begin(), drafts.end());
}

Step Scheduler::plan() {
  QN_CHECK(steps_in_flight() <= limits_.depth, "steps commit in turn");
  Plan plan{.budget = limits_.max_batched_tokens, .grants = {}};
  const std::uint64_t preemptions_before = preemptions_;
  plan_running(plan);
  // Who was just preempted would come straight back and push out the next, so a step that preempts admits nobody.
  if (preemptions_ == preemptions_before && !plan.blocked) admit_waiting(plan);
  add_drafts(plan);
  QN_CHECK(!plan.grants.empty() || steps_in_flight() > 0 || all_.empty(), "while there is work, a step advances it");
  return launch(std::move(plan));
}

void Scheduler::plan_running(Plan& plan) {
  for (Sequence* sequence : running_) {
    if (sequence->in_flight == 0 && sequence->owed() > 1) adopt_prefix(*sequence);
  }
  // Decodes first: a long prompt takes what rows are left, and can delay nobody's next token by more than one step.
  for (const bool decodes : {true, false}) {
    if (!decodes && !plan.grants.empty() && limits_.prompt_rows_beside_replies > 0)
      plan.budget = std::min(plan.budget, limits_.prompt_rows_beside_replies);
    for (std::size_t i = 0; i < running_.size() && plan.budget > 0 && !plan.blocked; ++i) {
      Sequence& sequence = *running_[i];
      if ((sequence.owed() == 1) != decodes || !ready(sequence) || waits_for_another(sequence)) continue;
      if (!grant(sequence, plan)) break;
    }
  }
}

void Scheduler::admit_waiting(Plan& plan) {
  while (!waiting_.empty() && plan.budget > 0 && static_cast<int>(running_.size()) < limits_.max_sequences) {
    Sequence& sequence = *waiting_.front();
    if (!admit(sequence)) break;  // nor does anyone behind: a large request is not overtaken for ever
    if (waits_for_another(sequence)) continue;
    const bool granted = grant(sequence, plan);
    QN_CHECK(granted, "an admitted sequence has pages for all that it owes");
  }
}

// Guesses take rows that nobody else wants, and pages that were promised to their sequence anyway.
void Scheduler::add_drafts(Plan& plan) {
  std::optional<bool> promises_hold;
  for (Grant& grant : plan.grants) {
    Sequence& sequence = *grant.sequence;
    std::vector<TokenId> drafts = std::exchange(sequence.drafts, {});
    if (drafts.empty() || !grant.wants_next || sequence.awaited > 0 || (sequence.ahead && limits_.depth > 0)) continue;
    if (!promises_hold) promises_hold = pool_.available() >= pages_promised();
    const int size = sequence.size();
    const auto held = static_cast<int>(sequence.pages.size());
    const int room = *promises_hold ? std::max(held, pages_for(std::min(size + limits_.page_tokens, longest()))) : held;
    const int count = std::min({static_cast<int>(drafts.size()), plan.budget, longest() - size - 1, room * limits_.page_tokens - size});
    if (count <= 0 || !reserve(sequence, size + count)) continue;
    drafts.resize(static_cast<std::size_t>(count));
    grant.drafts = std::move(drafts);
    plan.budget -= count;
  }
}

Step Scheduler::launch(Plan plan) {
  Step step;
  step.sequences.reserve(plan.grants.size());
  for (const Grant& grant : plan.grants) {
    Sequence& s = *grant.sequence;
    const int first = s.planned, known = static_cast<int>(s.tokens.size()), drafts = static_cast<int>(grant.drafts.size());
    StepSequence& in_step = step.sequences.emplace_back();
    in_step.id = s.id;
    in_step.first_position = first;
    in_step.tokens.reserve(static_cast<std::size_t>(grant.end - first + drafts));
    in_step.tokens.assign(s.tokens.begin() + std::min(first, known), s.tokens.begin() + std::min(grant.end, known));
    if (grant.end > known) in_step.tokens.push_back(chosen_before);
    in_step.tokens.insert(in_step.tokens.end(), grant.drafts.begin(), grant.drafts.end());
    in_step.pages = std::span(s.pages).first(static_cast<std::size_t>(pages_for(grant.end + drafts)));
    const int unread = s.reads == Reads::every_row ? std::max(0, grant.end - std::max(first, s.seen)) : 0;
    in_step.reads = std::max(unread, grant.wants_next ? 1 : 0) + drafts;
    in_step.drafts = drafts;

    s.in_flight += 1;
    s.planned = grant.end;
    s.awaited += grant.wants_next;
    if (first > s.reached) s.cached_tokens += std::min(first, s.prompt_tokens) - std::min(s.reached, s.prompt_tokens);
    s.reached = std::max(s.reached, grant.end);
  }
  if (!plan.grants.empty()) flights_.push_back(std::move(plan.grants));
  return step;
}

void Scheduler::commit(std::span<const Outcome> outcomes) {
  QN_CHECK(!flights_.empty(), "a step was planned");
  auto outcome = outcomes.begin();
  const std::vector<Grant> step = std::move(flights_.front());
  flights_.pop_front();
  for (const Grant& grant : step) {
    Sequence& sequence = *grant.sequence;
    sequence.in_flight -= 1;
    if (!sequence.leaving) {
      sequence.computed = grant.end;
      Next next = Next::go_on;
      if (grant.wants_next) {
        QN_CHECK(outcome != outcomes.end() && outcome->id == sequence.id, "outcomes come in step order");
        take_outcome(sequence, grant, *outcome);
        next = (outcome++)->next;
      }
      sequence.seen = std::max(sequence.seen, sequence.computed);
      publish_full_pages(sequence);
      if (next == Next::stop) depart(sequence, &Sequence::leaving);
    }
    if (sequence.in_flight > 0) continue;
    if (sequence.leaving) {
      remove(sequence);
    } else if (sequence.yielding) {
      preempt(sequence);
    }
  }
  QN_CHECK(outcome == outcomes.end(), "every outcome has its sequence");
}

// tokens: [0, grant.end) computed   then accepted drafts, computed too   then the token chosen after them, and forced ones
void Scheduler::take_outcome(Sequence& sequence, const Grant& grant, const Outcome& outcome) {
  QN_CHECK(!outcome.tokens.empty() || outcome.next == Next::stop, "a sequence goes on with a token");
  QN_CHECK(outcome.tokens.size() <= 1 || sequence.in_flight == 0, "nothing was planned on a token that another one comes before");
  sequence.awaited -= 1;
  sequence.tokens.insert(sequence.tokens.end(), outcome.tokens.begin(), outcome.tokens.end());
  sequence.drafts.clear();
  if (!grant.drafts.empty()) {
    const auto right = std::ranges::mismatch(grant.drafts, outcome.tokens).in1 - grant.drafts.begin();
    sequence.computed += static_cast<int>(right);
    sequence.planned = sequence.computed;
    sequence.reached = std::max(sequence.reached, sequence.computed);
    while (static_cast<int>(sequence.pages.size()) > pages_for(static_cast<int>(sequence.tokens.size()))) {
      pool_.release(sequence.pages.back());  // held refused guesses only
      sequence.pages.pop_back();
    }
  }
  QN_CHECK(outcome.next == Next::stop || static_cast<int>(sequence.tokens.size()) < longest(), "a sequence stops where its room ends");
}

Counts Scheduler::counts() const {
  return {.waiting = static_cast<int>(waiting_.size()),
          .running = static_cast<int>(running_.size()),
          .pages_free = pool_.free(),
          .pages_cached = pool_.cached(),
          .pages_held = pool_.held(),
          .preemptions = preemptions_};
}

const Sequence& Scheduler::get(SequenceId id) const {
  const auto found = all_.find(id.value);
  QN_CHECK(found != all_.end(), "the caller asks for a sequence that is there");
  return *found->second;
}

// What the running sequences may take next: pages for the tokens they owe (prompts being read take theirs chunk by chunk), and
// one more each for their replies to grow into.
int Scheduler::pages_promised() const {
  int pages = 0;
  for (const Sequence* s : running_) {
    if (s->departing()) continue;
    const int soon = std::min(s->size() + limits_.page_tokens, longest());
    pages += std::max(0, pages_for(soon) - static_cast<int>(s->pages.size()));
  }
  return pages;
}

bool Scheduler::ready(const Sequence& sequence) const {
  if (sequence.departing() || sequence.owed() == 0) return false;
  return sequence.awaited == 0 || (sequence.ahead && sequence.size() < longest());
}

// Its next page is being computed by one that goes before it, no slower: once that is published, it can be found. As everyone waits only
// for one who goes before, and the first for nobody, no two wait for each other.
bool Scheduler::waits_for_another(const Sequence& sequence) const {
  const int end = sequence.computed + limits_.page_tokens;
  const bool at_page = sequence.computed == sequence.pages_named * limits_.page_tokens;
  if (sequence.in_flight > 0 || !at_page || end > may_find(sequence)) return false;
  const auto next_page = [&](const Sequence& s) {
    return std::span(s.tokens).subspan(static_cast<std::size_t>(sequence.computed), static_cast<std::size_t>(limits_.page_tokens));
  };
  for (const Sequence* other : running_) {
    if (other == &sequence) break;
    if (other->salt == sequence.salt && other->pages_named == sequence.pages_named && other->last_name == sequence.last_name &&
        !other->departing() && other->rows_a_step >= sequence.rows_a_step && static_cast<int>(other->tokens.size()) >= end &&
        std::ranges::equal(next_page(*other), next_page(sequence))) {
      return true;
    }
  }
  return false;
}

bool Scheduler::reserve(Sequence& sequence, int end) {
  sequence.pages.reserve(static_cast<std::size_t>(pages_for(longest())));
  while (static_cast<int>(sequence.pages.size()) < pages_for(end)) {
    const std::optional<PageId> page = pool_.take(sequence.salt);
    if (!page) return false;
    sequence.pages.push_back(*page);
  }
  return true;
}

// Puts what the sequence owes into the step, as far as the budget goes. Where pages run out, the last in order gives its own; false
// if that was this one, or if they come only with a step in flight.
bool Scheduler::grant(Sequence& sequence, Plan& plan) {
  const int end = sequence.planned + std::min({sequence.owed(), plan.budget, sequence.rows_a_step});
  while (!reserve(sequence, end)) {
    if (departing_ > 0) {
      plan.blocked = true;
      return false;
    }
    Sequence& last = *running_.back();
    if (const auto granted = std::ranges::find(plan.grants, &last, &Grant::sequence); granted != plan.grants.end()) {
      plan.budget += granted->end - last.planned;
      plan.grants.erase(granted);
    }
    if (last.in_flight > 0) {
      depart(last, &Sequence::yielding);
      plan.blocked = true;
      return false;
    }
    QN_CHECK(running_.size() > 1, "one sequence alone always has room: longest() sees to it");
    preempt(last);
    if (&last == &sequence) return false;
  }
  plan.budget -= end - sequence.planned;
  plan.grants.push_back({.sequence = &sequence, .end = end, .wants_next = end == sequence.size()});
  return true;
}

// Starts a waiting sequence if there are pages for all that it owes beside what is promised to others: only replies that grow
// can make pages run short, never a prompt let in too early.
bool Scheduler::admit(Sequence& sequence) {
  adopt_prefix(sequence);
  const int missing = pages_for(static_cast<int>(sequence.tokens.size())) - static_cast<int>(sequence.pages.size());
  if (pool_.available() - pages_promised() < missing) {
    release_pages(sequence);
    return false;
  }
  waiting_.erase(waiting_.begin());
  insert_in_order(running_, sequence);
  turns_.let_in(sequence.turn);
  return true;
}

// tokens: [0, computed) found in full pages   [computed, may_find) not to be found
void Scheduler::adopt_prefix(Sequence& sequence) {
  const int page_tokens = limits_.page_tokens;
  if (sequence.computed != static_cast<int>(sequence.pages.size()) * page_tokens) return;  // in the midst of a page of its own
  sequence.pages.reserve(static_cast<std::size_t>(pages_for(longest())));
  while (sequence.computed + page_tokens <= may_find(sequence)) {
    const auto page =
        std::span(sequence.tokens).subspan(static_cast<std::size_t>(sequence.computed), static_cast<std::size_t>(page_tokens));
    const auto found = pool_.find(sequence.salt, sequence.last_name, page);
    if (!found) break;
    pool_.share(found->page);
    sequence.pages.push_back(found->page);
    sequence.last_name = found->name;
    sequence.pages_named += 1;
    sequence.computed += page_tokens;
    sequence.planned = sequence.computed;
  }
}

void Scheduler::publish_full_pages(Sequence& sequence) {
  const std::span<const TokenId> tokens = sequence.tokens;
  for (; (sequence.pages_named + 1) * limits_.page_tokens <= sequence.computed; ++sequence.pages_named) {
    const auto begin = static_cast<std::size_t>(sequence.pages_named * limits_.page_tokens);
    sequence.last_name = pool_.publish(sequence.pages[static_cast<std::size_t>(sequence.pages_named)], sequence.last_name,
                                       tokens.subspan(begin, static_cast<std::size_t>(limits_.page_tokens)));
  }
}

// It has steps in flight: its pages come back when the last of them commits.
void Scheduler::depart(Sequence& sequence, bool Sequence::*how) {
  departing_ += !sequence.departing();
  sequence.*how = true;
}

void Scheduler::preempt(Sequence& sequence) {
  departing_ -= sequence.departing();
  sequence.yielding = false;
  release_pages(sequence);
  std::erase(running_, &sequence);
  insert_in_order(waiting_, sequence);
  ++preemptions_;
}

// Last page first: of one sequence's pages the beginning is worth keeping longest.
void Scheduler::release_pages(Sequence& sequence) {
  for (std::size_t page = sequence.pages.size(); page-- > 0;) pool_.release(sequence.pages[page]);
  sequence.pages.clear();
  sequence.computed = sequence.planned = 0;
  sequence.pages_named = 0;
  sequence.last_name = no_prefix;
}

void Scheduler::remove(Sequence& sequence) {
  departing_ -= sequence.departing();
  release_pages(sequence);
  std::erase(running_, &sequence);
  std::erase(waiting_, &sequence);
  turns_.correct(sequence.tenant, sequence.weight, expected_too_little(sequence));
  all_.erase(sequence.id.value);
  if (all_.empty()) turns_.rest();
}

}  // namespace qn::sched
