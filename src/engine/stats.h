// Counters of an engine since it started, and its state now.
#pragma once

#include <chrono>
#include <cstdint>

#include "sched/scheduler.h"

namespace qn::engine {

struct Stats {
  std::uint64_t finished = 0, cancelled = 0, failed = 0;  // generations
  std::uint64_t prompt_tokens = 0;                        // of generations that were started
  std::uint64_t cached_tokens = 0;                        // of these, found computed
  std::uint64_t generated_tokens = 0;
  std::uint64_t steps = 0, rows = 0;   // rows: tokens computed, recomputed ones included
  std::uint64_t nonfinite_logits = 0;  // requests that ended so
  std::chrono::nanoseconds forward{};  // in the runner
  std::chrono::nanoseconds sampling{};
  std::chrono::nanoseconds scheduling{};  // plan and commit
  sched::Counts now{};
};

}  // namespace qn::engine
