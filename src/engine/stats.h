// Counters of an engine since it started, and its state now.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "sched/scheduler.h"

namespace qn::engine {

constexpr int most_draft_tokens = 32;  // a step

// Guesses at what follows, and what became of them.
struct Speculation {
  std::uint64_t drafts = 0;                                          // runs of guesses
  std::uint64_t draft_tokens = 0, accepted_tokens = 0;               // guesses, and those that were right
  std::array<std::uint64_t, most_draft_tokens> accepted_at_place{};  // [i]: how often the guess at place i of its run was right
};

struct Stats {
  std::uint64_t finished = 0, cancelled = 0, failed = 0;  // generations
  std::uint64_t refused = 0;                              // because too many wait
  std::uint64_t prompt_tokens = 0;                        // of generations that were started: what was looked up in the prefix cache
  std::uint64_t cached_tokens = 0;                        // of these, found computed
  std::uint64_t generated_tokens = 0;
  std::uint64_t forced_tokens = 0;                // of these, by constraints, without asking the model
  std::uint64_t steps = 0, rows = 0;              // rows: tokens computed, recomputed ones and drafts included
  std::array<std::uint64_t, 16> steps_by_rows{};  // [i]: steps of more than 2^(i-1) rows and at most 2^i; the last also of more
  std::uint64_t nonfinite_logits = 0;             // requests that ended so
  Speculation speculation{};
  std::chrono::nanoseconds forward{};  // in the runner
  std::chrono::nanoseconds sampling{};
  std::chrono::nanoseconds scheduling{};  // plan and commit
  sched::Counts now{};
  int pages = 0;   // in all, of page_tokens each
  int queued = 0;  // generations that were accepted and have not started

  // When the turn of the loop that is under way began, by the engine's clock; none while there is nothing to do. A turn takes a step and
  // tells the sinks, so one that began long ago hangs.
  std::optional<std::chrono::nanoseconds> turn_begun{};
};

}  // namespace qn::engine
