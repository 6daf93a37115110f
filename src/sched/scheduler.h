// Scheduler: decides what the device computes next, and which pages hold it. A pure state machine: the same calls give the same
// steps. It knows token ids and page numbers, and no thread, clock, log, device or text.
// Invariant: the first running sequence always advances, so every sequence finishes; a preempted one finishes with the same
// output, since its tokens stay and only its pages go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "sched/pages.h"
#include "sched/sequence.h"
#include "sched/step.h"

namespace qn::sched {

struct Limits {
  int max_sequences = 64;        // running at once; at most max_batched_tokens, so that every decode has its row
  int max_batched_tokens = 512;  // rows of a step
  int context_tokens = 4096;     // prompt and reply together
  int pages = 0;
  int page_tokens = 16;
};

struct Request {
  SequenceId id;                // unique
  std::vector<TokenId> prompt;  // at least one
  std::uint64_t salt = 0;
  int priority = 0;
};

// Why add() refuses: the prompt could not get even one token of reply, whatever else runs.
struct TooLong {
  int prompt_tokens;
  int longest_prompt;
};

enum class Next { go_on, stop };

struct Outcome {
  SequenceId id;
  TokenId token;  // sampled
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

  // Takes a sequence out, in whatever state. Its pages go at once, or with the commit of the step in flight that uses them.
  // False if there is no such sequence (any more).
  bool cancel(SequenceId id);

  // The next step; empty when there is nothing to do. Every plan() is followed by its commit().
  Step plan();

  // What came of the step: one outcome, in step order, for each sequence that wanted logits and was not cancelled since.
  // A sequence of longest() tokens must stop.
  void commit(std::span<const Outcome> outcomes);

  bool idle() const { return all_.empty(); }
  bool contains(SequenceId id) const { return all_.contains(id.value); }
  std::span<const TokenId> tokens(SequenceId id) const { return get(id).tokens; }  // prompt, then sampled; until the next call
  int cached_tokens(SequenceId id) const { return get(id).cached_tokens; }
  Counts counts() const;

 private:
  struct Grant {
    Sequence* sequence;
    int end;  // tokens [computed, end) are in the step
  };

  const Sequence& get(SequenceId id) const;
  int pages_for(int tokens) const { return (tokens + limits_.page_tokens - 1) / limits_.page_tokens; }
  int pages_promised() const;
  bool reserve(Sequence& sequence, int end);
  bool grant(Sequence& sequence, int& budget);
  bool admit(Sequence& sequence);
  void adopt_prefix(Sequence& sequence);
  void publish_full_pages(Sequence& sequence);
  void preempt(Sequence& sequence);
  void release_pages(Sequence& sequence);
  void remove(Sequence& sequence);

  Limits limits_;
  PagePool pool_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Sequence>> all_;  // by id; owns
  std::vector<Sequence*> waiting_, running_;                          // each in the order of policy.h
  std::vector<Grant> step_;                                           // in flight, in step order
  std::uint64_t arrivals_ = 0;
  std::uint64_t preemptions_ = 0;
  bool in_flight_ = false;
};

}  // namespace qn::sched
