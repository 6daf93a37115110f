// Step: what the device is to do next, an immutable list. It may mix prompts being read and replies being written: there are
// no phases, only sequences with tokens still to compute.
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"

namespace qn::sched {

struct StepSequence {
  SequenceId id;
  int first_position;           // tokens[i] stands at position first_position + i
  std::vector<TokenId> tokens;  // at least one
  std::vector<PageId> pages;    // page p holds positions [p * page_tokens, (p + 1) * page_tokens); covers every token above
  bool wants_logits;            // of the last token
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
