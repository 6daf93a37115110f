// A seed makes limits, requests, arrivals, guesses and cancels, and drives the scheduler against the fake device, with up to two steps
// planned ahead. After every call the pages add up; at the end everyone has the reply that they get alone.
#pragma once

#include <cstdint>
#include <string>

#include "sched/scheduler.h"

namespace qn::sched {

struct Story {
  std::string trace;  // every step, to the page
  std::string wrong;  // the first property that did not hold, or empty
  Counts end;
  int steps = 0;
  int cached_tokens = 0, accepted_drafts = 0, refused_drafts = 0, shared_in_time = 0;
};

Story tell(std::uint64_t seed, int depth);

}  // namespace qn::sched
