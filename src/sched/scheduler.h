// Scheduler: decides what the device computes next, and which pages hold it. A pure state machine: the same calls give the same
// steps. It knows token ids and page numbers, and no thread, clock, log, device or text.
// Invariant: the first running sequence always advances, so every sequence finishes; a preempted one finishes with the same
// output, since its tokens stay and only its pages go.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "sched/fair.h"
#include "sched/pages.h"
#include "sched/sequence.h"
#include "sched/step.h"

namespace qn::sched {

struct Limits {
  int max_sequences = 64;              // running at once; at most max_batched_tokens, so that every decode has its row
  int max_batched_tokens = 512;        // rows of a step
  int prompt_rows_beside_replies = 0;  // of these for prompts, in a step that also writes replies: who reads waits that long; 0: all
  int context_tokens = 4096;           // prompt and reply together
  int pages = 0;
  int page_tokens = 16;
  int depth = 0;  // steps that may be in flight when another is planned: 0 for a device that is done when it returns
};

struct Request {
  SequenceId id;                // unique
  std::vector<TokenId> prompt;  // at least one
  std::uint64_t salt = 0;
  int priority = 0;
  std::uint64_t tenant = 0;
  double weight = 1;        // of the tenant, above 0
  int expected_tokens = 0;  // of reply: a guess, which only fairness uses
  Reads reads = Reads::next_token;
  int rows_a_step = std::numeric_limits<int>::max();  // at most so many of its tokens in one step
  bool ahead = true;  // its next token can be chosen without the outcome of the step before; needed for depth above 0 only
};

// Why add() refuses: the prompt could not get even one token of reply, whatever else runs.
struct TooLong {
  int prompt_tokens;
  int longest_prompt;
};

enum class Next { go_on, stop };

struct Outcome {
  SequenceId id;
  std::span<const TokenId> tokens;  // what follows: accepted drafts, the token chosen after them, what is forced after that; none only
                                    // with Next::stop. More than one only where !Request::ahead or depth is 0
  Next next;
};

struct Counts {
  int waiting, running;
  int pages_free, pages_cached, pages_held;
  std::uint64_t preemptions;  // so far
};

class Scheduler {
 public:
  explicit Scheduler(const Limits& limits);

  // What prompt and reply can come to: the context, or what all the pages hold.
  int longest() const;

  [[nodiscard]] std::optional<TooLong> add(Request request);

  // Takes a sequence out, in whatever state. Its pages go at once, or with the commit of the last step in flight that uses them.
  // False if there is no such sequence (any more).
  bool cancel(SequenceId id);

  // Guesses at what follows the sequence's tokens. The next plan() takes as many as there is room for, which may be none; they are
  // forgotten when it has more tokens.
  void suggest(SequenceId id, std::span<const TokenId> drafts);

  // The next step. Empty when there is nothing to do, or nothing before a step in flight commits. Each that is not empty is followed by its
  // commit(), in order; at most depth are in flight when this is called.
  Step plan();

  // What came of the oldest step in flight: one outcome, in step order, for each sequence that had all its tokens in it and was not
  // cancelled since, nor stopped by an earlier commit. A sequence of longest() tokens must stop.
  void commit(std::span<const Outcome> outcomes);

  bool idle() const { return all_.empty(); }
  int steps_in_flight() const { return static_cast<int>(flights_.size()); }
  bool contains(SequenceId id) const { return all_.contains(id.value); }
  std::span<const TokenId> tokens(SequenceId id) const { return get(id).tokens; }  // prompt, then chosen; until the next call
  int cached_tokens(SequenceId id) const { return get(id).cached_tokens; }
  Counts counts() const;

 private:
  struct Grant {
    Sequence* sequence;
    int end;                           // tokens [planned, end) are in the step
    bool wants_next;                   // these are all its tokens: something is chosen after them
    std::vector<TokenId> drafts = {};  // guesses after them
  };
  struct Plan {
    int budget;  // rows left
    std::vector<Grant> grants;
    bool blocked = false;  // what is missing comes with the commit of a step in flight
  };

  const Sequence& get(SequenceId id) const;
  int pages_for(int tokens) const { return (tokens + limits_.page_tokens - 1) / limits_.page_tokens; }
  int pages_promised() const;
  bool ready(const Sequence& sequence) const;
  bool waits_for_another(const Sequence& sequence) const;
  void plan_running(Plan& plan);
  void admit_waiting(Plan& plan);
  void add_drafts(Plan& plan);
  Step launch(Plan plan);

  bool reserve(Sequence& sequence, int end);
  bool grant(Sequence& sequence, Plan& plan);
  bool admit(Sequence& sequence);
  void adopt_prefix(Sequence& sequence);
  void publish_full_pages(Sequence& sequence);
  void take_outcome(Sequence& sequence, const Grant& grant, const Outcome& outcome);
  void depart(Sequence& sequence, bool Sequence::*how);
  void preempt(Sequence& sequence);
  void release_pages(Sequence& sequence);
  void remove(Sequence& sequence);

  Limits limits_;
  PagePool pool_;
  Turns turns_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Sequence>> all_;  // by id; owns
  std::vector<Sequence*> waiting_, running_;                          // each in the order of policy.h
  std::deque<std::vector<Grant>> flights_;                            // steps in flight, oldest first, each in step order
  std::uint64_t arrivals_ = 0;
  std::uint64_t preemptions_ = 0;
  int departing_ = 0;  // sequences whose pages come back with a commit
};

}  // namespace qn::sched
