// Policy: who goes first, for pages and for a place in the step. The last in this order is the first to be preempted.
#pragma once

#include <tuple>

#include "sched/sequence.h"

namespace qn::sched {

inline bool goes_before(const Sequence* a, const Sequence* b) {
  return std::tie(a->priority, a->turn, a->arrival) < std::tie(b->priority, b->turn, b->arrival);
}

}  // namespace qn::sched
