// Generation goes into the engine, TokenEvents come out: one for each token, then nothing after the one that says why it ended.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/constraint.h"
#include "engine/sampler.h"
#include "engine/sampling.h"

namespace qn::engine {

enum class Finish {
  end_of_text,   // a stop token was sampled: it is this event's token
  max_tokens,    // as many as were asked for; also the end of what asks for an embedding or scores
  context_full,  // prompt and reply fill the context, or all the pages there are
  cancelled,     // by cancel(), or because the engine shuts down
  error,         // see TokenEvent::error
};

enum class Pooling { last, cls, mean };  // which final hidden states an embedding is: the last token's, the first's, the mean of all

struct TokenCounts {
  int prompt_tokens = 0;
  int cached_tokens = 0;     // of the prompt, found computed
  int generated_tokens = 0;  // stop token included
  int draft_tokens = 0;      // guessed, and
  int accepted_tokens = 0;   // of these, right: they are among the generated
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
  std::vector<Sampled> prompt = {};   // on the first event, where Generation::prompt_logprobs asks: of prompt[1], prompt[2], …
  std::vector<float> embedding = {};  // [D], on the only event, where Generation::pooling asks; not normalized
  std::vector<float> scores = {};     // on the only event: log probabilities of Generation::scored
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
  std::optional<int> max_tokens;                // of reply; absent: until the context is full; 0 only with prompt_logprobs
  int min_tokens = 0;                           // no stop token is sampled before, unless the constraint allows nothing else
  std::vector<TokenId> stop_tokens;             // each ends the reply
  std::optional<int> top_logprobs;              // see SampleRequest
  std::optional<int> prompt_logprobs = {};      // likewise for every token of the prompt but the first, given the ones before it
  std::optional<Pooling> pooling = {};          // the reply is an embedding, and no token
  std::vector<TokenId> scored = {};             // the reply is these tokens' log probabilities after the prompt, and no token
  std::shared_ptr<Constraint> constraint = {};  // shared with whoever asks it later what was said
  int draft_tokens = 0;                         // guesses a step, taken from what was said before; they change no output
  std::uint64_t salt = 0;                       // prefixes are shared among equal salts only
  int priority = 0;                             // lower goes first
  std::uint64_t tenant = 0;                     // among equal priorities, tenants get turns by what they use over
  float weight = 1;                             // their weight
  Sink sink;
};

}  // namespace qn::engine
