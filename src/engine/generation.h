// Generation goes into the engine, TokenEvents come out: one for each token, then nothing after the one that says why it ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/sampler.h"
#include "engine/sampling.h"

namespace qn::engine {

enum class Finish {
  end_of_text,   // a stop token was sampled: it is this event's token
  max_tokens,    // as many as were asked for
  context_full,  // prompt and reply fill the context, or all the pages there are
  cancelled,     // by cancel(), or because the engine shuts down
  error,         // see TokenEvent::error
};

struct TokenCounts {
  int prompt_tokens = 0;
  int cached_tokens = 0;     // of the prompt, found computed
  int generated_tokens = 0;  // stop token included
};

struct Timings {
  std::chrono::nanoseconds queued{};      // submitted, until its first step was launched
  std::chrono::nanoseconds prompt{};      // from there to its first token
  std::chrono::nanoseconds generation{};  // from there to this event
};

struct TokenEvent {
  SequenceId sequence;
  TokenId token = -1;  // negative: an ending without a token
  float logprob = 0;   // this and the next only where Generation::top_logprobs asks
  std::vector<TokenLogprob> top = {};
  std::optional<Finish> finish = {};  // set on the last event
  std::optional<Error> error = {};    // with Finish::error
  TokenCounts counts = {};            // so far
  Timings timings = {};
};

// Called on the engine's thread, between steps: whatever it waits for, every sequence waits for. It hands the event on and
// returns. It may call submit() and cancel(), and does not throw.
using Sink = std::function<void(const TokenEvent&)>;

struct Generation {
  std::vector<TokenId> prompt;
  SamplingParameters sampling;
  std::optional<int> max_tokens;     // of reply; absent: until the context is full
  int min_tokens = 0;                // no stop token is sampled before
  std::vector<TokenId> stop_tokens;  // each ends the reply
  std::optional<int> top_logprobs;   // see SampleRequest
  std::uint64_t salt = 0;            // prefixes are shared among equal salts only
  int priority = 0;                  // lower goes first
  Sink sink;
};

}  // namespace qn::engine
