// Step: what the device is to do next, an immutable list. It may mix prompts being read, replies being written and guesses being
// verified: there are no phases, only sequences with tokens still to compute.
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"

namespace qn::sched {

// In StepSequence::tokens: the token that the step before this one chooses for the same sequence. Only the device knows it yet.
constexpr TokenId chosen_before = -1;

struct StepSequence {
  SequenceId id;
  int first_position;             // tokens[i] stands at position first_position + i
  std::vector<TokenId> tokens;    // at least one
  std::span<const PageId> pages;  // page p holds positions [p * page_tokens, (p + 1) * page_tokens); covers every token above; borrowed
                                  // from the scheduler until the step commits
  int reads = 0;                  // of its last so many tokens logits or hidden states are wanted
  int drafts = 0;                 // its last so many tokens are guesses
};

struct Step {
  std::vector<StepSequence> sequences;  // rows of the step: the tokens of each sequence, one after the other
  int rows() const {
    int count = 0;
    for (const StepSequence& s : sequences) count += static_cast<int>(s.tokens.size());
    return count;
  }
};

}  // namespace qn::sched
