// Sequence: what the scheduler knows of one request. There are no phases: what is owed is a subtraction.
//   tokens: [0, prompt_tokens) given, [prompt_tokens, known) chosen, [known, size) chosen by steps in flight, so not known yet
//   tokens: [0, named) in findable pages   [named, computed) computed   [computed, planned) in flight   [planned, size) owed
// Invariant: pages.size() * page_tokens >= planned, and a sequence that waits has no pages and planned == 0.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "sched/pages.h"

namespace qn::sched {

enum class Reads {
  next_token,  // what follows all tokens
  every_row,   // every token of the prompt, so none may be skipped, and what follows
};

struct Sequence {
  SequenceId id;
  std::vector<TokenId> tokens;
  int prompt_tokens;
  int expected_tokens;    // of reply, as its tenant was charged
  std::uint64_t salt;     // who may share pages with whom
  std::uint64_t tenant;   // who is charged
  double weight;          // of the tenant
  int priority;           // lower goes first
  double turn;            // then lower turns, see fair.h
  std::uint64_t arrival;  // counts up
  Reads reads;
  int rows_a_step;
  bool ahead;  // may be planned while its last token is not known

  std::vector<PageId> pages;  // with room for all it can come to, so that it never moves while a step borrows it
  int computed = 0;
  int planned = 0;
  int awaited = 0;      // tokens that steps in flight choose
  int pages_named = 0;  // leading pages that were published or found
  PrefixName last_name = no_prefix;
  std::vector<TokenId> drafts;  // guesses at what follows its tokens, not in flight

  int reached = 0;        // the furthest that was ever planned or found
  int seen = 0;           // the furthest whose rows were ever read
  int cached_tokens = 0;  // of the prompt, found and never computed for this sequence
  int in_flight = 0;      // steps
  bool leaving = false;   // cancelled or ended in flight: pages stay held until its last step commits
  bool yielding = false;  // preempted in flight: likewise, and then it waits again

  int size() const { return static_cast<int>(tokens.size()) + awaited; }
  int owed() const { return size() - planned; }  // 1 when decoding, many when reading a prompt
  bool departing() const { return leaving || yielding; }
};

}  // namespace qn::sched
