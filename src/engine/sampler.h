// Sampler: chooses the next token from logits by a chain of stages. A function of its arguments alone: the draw is keyed by
// (seed, position), sums have a fixed order, ties go to the lowest id, exp and log are our own. So the same request gets the same
// token on every machine and beside any company.
// Invariant: between stages at least one candidate is left.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "engine/sampling.h"

namespace qn::engine {

struct TokenLogprob {
  TokenId token;
  float logprob;  // natural logarithm of the model's own probability, before bias and samplers
};

struct SampleRequest {
  std::span<const float> logits;                // [V]
  std::span<const TokenId> context;             // prompt and reply so far; the sampled token stands at position context.size()
  std::span<const TokenId> banned;              // may not be chosen here
  std::optional<int> top_logprobs;              // absent: compute none; n: the chosen token's and those of the n most likely
  std::size_t prompt_tokens = 0;                // context: [0, prompt_tokens) prompt, [prompt_tokens, size) reply
  std::span<const std::uint64_t> allowed = {};  // as Constraint::allowed(). Where it leaves banned tokens only, these are not banned
};

struct Sampled {
  TokenId token;
  float logprob = 0;              // if asked for
  std::vector<TokenLogprob> top;  // if asked for, most likely first
};

// What is said of numbers that are not finite, with the position that they were to fill.
Error nonfinite(const char* numbers, std::size_t position);

class Sampler {
 public:
  explicit Sampler(int vocab);

  // Chooses one token.
  //   parameters  checked with check()
  //   errors      internal: nonfinite logits; bad_input: every token is banned or not allowed
  Result<Sampled> sample(const SamplingParameters& parameters, const SampleRequest& request);

  // What the model says of a token that was chosen otherwise, and of the `top` most likely ones.
  //   errors      internal: nonfinite logits
  Result<Sampled> score(std::span<const float> logits, TokenId token, int top, std::size_t position);

  // Log probabilities of these tokens.
  //   errors      internal: nonfinite logits
  Result<std::vector<float>> score(std::span<const float> logits, std::span<const TokenId> tokens, std::size_t position);

 private:
  struct Candidate {
    TokenId token;
    float logit;
  };
  struct Ranked {
    double rank;  // lower is better
    TokenId token;
    float weight;
  };
  struct Model {  // what it says before anything is changed
    float best;
    double log_total;
    float logprob(float logit) const;
  };
  struct Turn {  // what a stage may look at
    const SamplingParameters& parameters;
    std::span<const TokenId> context;
    std::size_t prompt_tokens;
  };
  using StageFunction = void (Sampler::*)(const Turn&);
  struct StageWork {
    Stage stage;
    StageFunction apply;
  };
  static const StageWork work_rows[];

  static bool likelier(const Candidate& a, const Candidate& b);

  void gather(const SamplingParameters& parameters, const SampleRequest& request, std::span<const TokenId> banned);
  void apply(Stage stage, const Turn& turn);
  void apply_penalties(const Turn& turn);
  void apply_dry(const Turn& turn);
  void apply_top_n_sigma(const Turn& turn);
  void apply_top_k(const Turn& turn);
  void apply_typical_p(const Turn& turn);
  void apply_top_p(const Turn& turn);
  void apply_min_p(const Turn& turn);
  void apply_xtc(const Turn& turn);
  void apply_temperature(const Turn& turn);

  TokenId draw(const Turn& turn);
  Model weigh_model(std::span<const float> logits);
  void add_scores(Sampled& sampled, std::span<const float> logits, int top);

  void tally(TokenId token, int value);
  template <class Change>
  void change_tallied(Change change);
  void clear_tallies();
  void keep_best(std::size_t count);
  void keep_ranked_until(double enough);
  float best_logit() const;
  double weigh(float best);

  int vocab_;
  std::vector<Candidate> candidates_;
  bool by_id_ = true;             // candidates ascend by token; else they are in no promised order
  std::vector<float> weights_;    // [candidates] exp(logit - best), after weigh()
  std::vector<Ranked> ranked_;    // scratch of top_p and typical_p
  std::vector<int> tally_;        // [V] what a stage noted for a token; 0 for all between stages
  std::vector<TokenId> tallied_;  // tokens with a tally
  std::vector<int> repeats_;      // scratch of DRY
};

}  // namespace qn::engine
