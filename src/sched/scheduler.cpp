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

}  // namespace

Scheduler::Scheduler(const Limits& limits) : limits_(limits), pool_(limits.pages, limits.page_tokens) {
  QN_CHECK(limits.max_sequences > 0 && limits.max_batched_tokens > 0 && limits.context_tokens > 0, "limits leave room to work");
  limits_.max_sequences = std::min(limits.max_sequences, limits.max_batched_tokens);
}

int Scheduler::longest() const {
  return static_cast<int>(std::min<std::int64_t>(limits_.context_tokens, std::int64_t{pool_.total()} * limits_.page_tokens));
}

std::optional<TooLong> Scheduler::add(Request request) {
  QN_CHECK(!request.prompt.empty(), "a sequence starts with a token");
  if (request.prompt.size() >= static_cast<std::size_t>(longest())) {
    return TooLong{static_cast<int>(request.prompt.size()), longest() - 1};
  }
  const int prompt_tokens = static_cast<int>(request.prompt.size());
  auto sequence = std::make_unique<Sequence>(Sequence{.id = request.id,
                                                      .tokens = std::move(request.prompt),
                                                      .prompt_tokens = prompt_tokens,
                                                      .salt = request.salt,
                                                      .priority = request.priority,
                                                      .arrival = arrivals_++});
  insert_in_order(waiting_, *sequence);
  const bool is_new = all_.emplace(request.id.value, std::move(sequence)).second;
  QN_CHECK(is_new, "sequence ids are unique");
  return std::nullopt;
}

bool Scheduler::cancel(SequenceId id) {
  const auto found = all_.find(id.value);
  if (found == all_.end() || found->second->leaving) return false;
  Sequence& sequence = *found->second;
  if (sequence.in_flight) {
    sequence.leaving = true;  // the device may still write to its pages
  } else {
    remove(sequence);
  }
  return true;
}

Step Scheduler::plan() {
  QN_CHECK(!in_flight_, "one step at a time");
  int budget = limits_.max_batched_tokens;
  const std::uint64_t preemptions_before = preemptions_;

  // Decodes first: a long prompt takes what rows are left, and can delay nobody's next token by more than one step.
  for (const bool decodes : {true, false}) {
    for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
      Sequence& sequence = *running_[i];
      if ((sequence.owed() == 1) == decodes && !grant(sequence, budget)) break;
    }
  }
  // Who was just preempted would come straight back and push out the next, so a step that preempts admits nobody.
  while (preemptions_ == preemptions_before && !waiting_.empty() && budget > 0 &&
         static_cast<int>(running_.size()) < limits_.max_sequences) {
    Sequence& sequence = *waiting_.front();
    if (!admit(sequence)) break;  // nor does anyone behind: a large request is not overtaken for ever
    const bool granted = grant(sequence, budget);
    QN_CHECK(granted, "an admitted sequence has pages for all that it owes");
  }

  Step step;
  step.sequences.reserve(step_.size());
  for (const Grant& grant : step_) {
    Sequence& sequence = *grant.sequence;
    sequence.in_flight = true;
    const auto first = sequence.tokens.begin() + sequence.computed;
    step.sequences.push_back({.id = sequence.id,
                              .first_position = sequence.computed,
                              .tokens = {first, sequence.tokens.begin() + grant.end},
                              .pages = sequence.pages,
                              .wants_logits = grant.end == static_cast<int>(sequence.tokens.size())});
  }
  in_flight_ = !step_.empty();
  QN_CHECK(in_flight_ || all_.empty(), "while there is work, a step advances it");
  return step;
}

void Scheduler::commit(std::span<const Outcome> outcomes) {
  auto outcome = outcomes.begin();
  for (const Grant& grant : std::exchange(step_, {})) {
    Sequence& sequence = *grant.sequence;
    sequence.in_flight = false;
    if (sequence.leaving) {
      remove(sequence);
      continue;
    }
    sequence.computed = grant.end;
    publish_full_pages(sequence);
    if (sequence.owed() > 0) continue;
    QN_CHECK(outcome != outcomes.end() && outcome->id == sequence.id, "outcomes come in step order");
    sequence.tokens.push_back(outcome->token);
    if (outcome->next == Next::stop) {
      remove(sequence);
    } else {
      QN_CHECK(static_cast<int>(sequence.tokens.size()) < longest(), "a sequence stops where its room ends");
    }
    ++outcome;
  }
  QN_CHECK(outcome == outcomes.end(), "every outcome has its sequence");
  in_flight_ = false;
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
    const int soon = std::min(static_cast<int>(s->tokens.size()) + limits_.page_tokens, longest());
    pages += std::max(0, pages_for(soon) - static_cast<int>(s->pages.size()));
  }
  return pages;
}

bool Scheduler::reserve(Sequence& sequence, int end) {
  while (static_cast<int>(sequence.pages.size()) < pages_for(end)) {
    const std::optional<PageId> page = pool_.take();
    if (!page) return false;
    sequence.pages.push_back(*page);
  }
  return true;
}

// Puts what the sequence owes into the step, as far as the budget goes. Where pages run out, the last in order gives its own;
// false if that was this one.
bool Scheduler::grant(Sequence& sequence, int& budget) {
  const int end = sequence.computed + std::min(sequence.owed(), budget);
  while (!reserve(sequence, end)) {
    Sequence& last = *running_.back();
    QN_CHECK(running_.size() > 1, "one sequence alone always has room: longest() sees to it");
    if (const auto granted = std::ranges::find(step_, &last, &Grant::sequence); granted != step_.end()) {
      budget += granted->end - last.computed;
      step_.erase(granted);
    }
    preempt(last);
    if (&last == &sequence) return false;
  }
  budget -= end - sequence.computed;
  step_.push_back({&sequence, end});
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
  if (sequence.cached_tokens < 0) sequence.cached_tokens = sequence.computed;
  waiting_.erase(waiting_.begin());
  insert_in_order(running_, sequence);
  return true;
}

// tokens: [0, computed) found in full pages   [computed, size) owed, at least one: the last token's logits are always computed
void Scheduler::adopt_prefix(Sequence& sequence) {
  const std::span<const TokenId> tokens = sequence.tokens;
  const auto page_tokens = static_cast<std::size_t>(limits_.page_tokens);
  for (std::size_t begin = 0; begin + page_tokens < tokens.size(); begin += page_tokens) {
    const auto found = pool_.find(sequence.salt, sequence.last_name, tokens.subspan(begin, page_tokens));
    if (!found) break;
    pool_.share(found->page);
    sequence.pages.push_back(found->page);
    sequence.last_name = found->name;
    sequence.pages_named += 1;
    sequence.computed += limits_.page_tokens;
  }
}

void Scheduler::publish_full_pages(Sequence& sequence) {
  const std::span<const TokenId> tokens = sequence.tokens;
  for (; (sequence.pages_named + 1) * limits_.page_tokens <= sequence.computed; ++sequence.pages_named) {
    const auto begin = static_cast<std::size_t>(sequence.pages_named * limits_.page_tokens);
    sequence.last_name = pool_.publish(sequence.pages[static_cast<std::size_t>(sequence.pages_named)], sequence.salt, sequence.last_name,
                                       tokens.subspan(begin, static_cast<std::size_t>(limits_.page_tokens)));
  }
}

void Scheduler::preempt(Sequence& sequence) {
  release_pages(sequence);
  std::erase(running_, &sequence);
  insert_in_order(waiting_, sequence);
  ++preemptions_;
}

// Last page first: of one sequence's pages the beginning is worth keeping longest.
void Scheduler::release_pages(Sequence& sequence) {
  for (std::size_t page = sequence.pages.size(); page-- > 0;) pool_.release(sequence.pages[page]);
  sequence.pages.clear();
  sequence.computed = 0;
  sequence.pages_named = 0;
  sequence.last_name = no_prefix;
}

void Scheduler::remove(Sequence& sequence) {
  release_pages(sequence);
  std::erase(running_, &sequence);
  std::erase(waiting_, &sequence);
  all_.erase(sequence.id.value);
}

}  // namespace qn::sched
