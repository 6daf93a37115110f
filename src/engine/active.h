// Active: what the engine knows of a generation between its submit() and its last event. The engine's thread alone looks at it.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "engine/generation.h"

namespace qn::engine {

struct Active {
  Generation generation;  // its prompt lies with the scheduler
  TokenCounts counts = {};
  std::chrono::nanoseconds submitted{}, started{};
  std::optional<std::chrono::nanoseconds> first_token{};  // or what else it gets
  bool has_started = false;
  bool has_ended = false;  // its last event is on its way; it goes when that is told

  std::vector<TokenId> forced = {};         // by its constraint, and not said yet, as log probabilities are wanted for them
  std::vector<Sampled> prompt_scores = {};  // of prompt[1], prompt[2], … as far as they were read
  std::vector<double> pooled = {};          // [D] sum of hidden states, in the order of positions

  bool may_stop() const { return counts.generated_tokens >= generation.min_tokens; }
};

}  // namespace qn::engine
