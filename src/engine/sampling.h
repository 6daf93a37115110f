// How the next token is chosen: numbers with names and ranges, and the order in which they are applied.
// Everything here is a row of a table: checking, merging and reading by name all walk the same rows.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace qn::engine {

// What a sampler does to the candidates. The names and letters are llama.cpp's (--samplers, --sampler-seq).
enum class Stage { penalties, dry, top_n_sigma, top_k, typical_p, top_p, min_p, xtc, temperature };

struct StageRow {
  Stage stage;
  const char* name;
  char letter;
};
// In the default order: llama.cpp's (common_params_sampling in common/common.h).
inline constexpr StageRow stage_rows[] = {
    {Stage::penalties, "penalties", 'e'}, {Stage::dry, "dry", 'd'},         {Stage::top_n_sigma, "top_n_sigma", 's'},
    {Stage::top_k, "top_k", 'k'},         {Stage::typical_p, "typ_p", 'y'}, {Stage::top_p, "top_p", 'p'},
    {Stage::min_p, "min_p", 'm'},         {Stage::xtc, "xtc", 'x'},         {Stage::temperature, "temperature", 't'},
};
std::vector<Stage> default_chain();

struct LogitBias {
  TokenId token;
  float bias;  // added first of all; minus infinity: never
};

// Defaults are llama.cpp's.
struct SamplingParameters {
  float temperature = 0.8f;      // 0 (or below 1e-5): the most likely token after bias, penalties and DRY; nothing else applies
  int top_k = 40;                // the k most likely; 0 or less: all
  float top_p = 0.95f;           // the fewest most likely that together reach p; 0: the most likely; 1: all
  float min_p = 0.05f;           // those at least p times as likely as the most likely; 0: all
  float typical_p = 1;           // those whose surprise is nearest the mean, until together they reach p; 1: all
  float top_n_sigma = -1;        // those within n standard deviations of the best logit; 0 or less: all
  float repetition_penalty = 1;  // logits of tokens seen: divided by it where positive, else multiplied
  float presence_penalty = 0;    // subtracted once from tokens seen
  float frequency_penalty = 0;   // subtracted as often as a token was seen
  int penalty_last_n = 64;       // "seen" looks at so many last tokens, prompt included; 0: none, -1: all
  bool penalize_prompt = true;   // presence and frequency count the prompt's tokens too; false: the reply's only, as OpenAI and vLLM do
  float dry_multiplier = 0;      // 0: off. A token that would go on a repetition of m tokens loses multiplier * base^(m - allowed)
  float dry_base = 1.75f;
  int dry_allowed_length = 2;         // shortest m that counts
  int dry_last_n = 64;                // repetitions are looked for in so many last tokens; 0: none, -1: all
  float xtc_probability = 0;          // how often the most likely are excluded; 0: never
  float xtc_threshold = 0.1f;         // of those at least so likely only the least likely stays; above 0.5: off
  std::uint64_t seed = 0;             // draws are a function of (seed, position)
  std::vector<TokenId> dry_breakers;  // ascending; repetitions do not reach across these tokens, nor are they held back
  std::vector<LogitBias> logit_bias;
  std::vector<Stage> chain = default_chain();  // each at most once; what is missing does not apply
};

// What someone has said: the model's own recommendation, a user's flags, a request. Absent means nothing was said.
struct SamplingOverrides {
  std::optional<float> temperature;
  std::optional<int> top_k;
  std::optional<float> top_p, min_p, typical_p, top_n_sigma;
  std::optional<float> repetition_penalty, presence_penalty, frequency_penalty;
  std::optional<int> penalty_last_n;
  std::optional<bool> penalize_prompt;
  std::optional<float> dry_multiplier, dry_base;
  std::optional<int> dry_allowed_length, dry_last_n;
  std::optional<float> xtc_probability, xtc_threshold;
  std::optional<std::uint64_t> seed;
  std::optional<std::vector<TokenId>> dry_breakers;
  std::optional<std::vector<LogitBias>> logit_bias;
  std::optional<std::vector<Stage>> chain;
};

template <class T>
struct NumberRow {
  const char* name;  // as in requests and llama.cpp's flags
  T SamplingParameters::*value;
  std::optional<T> SamplingOverrides::*said;
  T low, high;  // both included
};
std::span<const NumberRow<float>> float_rows();
std::span<const NumberRow<int>> int_rows();

// `base` with whatever `said` says. Later calls win: merge(merge(defaults, model's), user's).
SamplingParameters merge(SamplingParameters base, const SamplingOverrides& said);

//   errors   bad_input: the first number out of its range (or not a number), with the range; a token id outside [0, vocab)
Status check(const SamplingParameters& parameters, int vocab);

}  // namespace qn::engine
