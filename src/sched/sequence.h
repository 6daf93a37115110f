// Sequence: what the scheduler knows of one request. There are no phases: what is owed is a subtraction.
//   tokens: [0, prompt_tokens) given, [prompt_tokens, size) sampled
//   tokens: [0, named) in findable pages   [named, computed) computed too   [computed, size) owed; a step takes some of them
// Invariant: pages.size() * page_tokens >= computed, and a sequence that waits has no pages and computed == 0.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "sched/pages.h"

namespace qn::sched {

struct Sequence {
  SequenceId id;
  std::vector<TokenId> tokens;
  int prompt_tokens;
  std::uint64_t salt;     // who may share pages with whom
  int priority;           // lower goes first
  std::uint64_t arrival;  // counts up

  std::vector<PageId> pages;
  int computed = 0;
  int pages_named = 0;  // leading pages that were published or found
  PrefixName last_name = no_prefix;

  int cached_tokens = -1;  // of the prompt, found when first admitted; -1 before that
  bool in_flight = false;
  bool leaving = false;  // cancelled in flight: pages stay held until the step commits

  int owed() const { return static_cast<int>(tokens.size()) - computed; }  // 1 when decoding, many when reading a prompt
};

}  // namespace qn::sched
