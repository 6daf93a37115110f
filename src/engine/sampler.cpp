#include "engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/exp.h"
#include "base/random.h"

namespace qn::engine {
namespace {

constexpr float greedy_below = 1e-5f;  // vLLM's bound: dividing by less would overflow ordinary logits
constexpr int lanes = 16;              // partial sums, so that the order of a sum does not depend on the vector width
constexpr std::uint32_t token_stream = 0, xtc_stream = 1;

bool penalizes(const SamplingParameters& p) {
  return p.penalty_last_n != 0 && (p.repetition_penalty != 1 || p.presence_penalty != 0 || p.frequency_penalty != 0);
}
bool holds_back_repetitions(const SamplingParameters& p) {
  return p.dry_multiplier > 0 && p.dry_last_n != 0;
}

bool lists(const SamplingParameters& p, Stage stage) {
  return std::ranges::find(p.chain, stage) != p.chain.end();
}

std::span<const TokenId> last(std::span<const TokenId> context, int count) {
  return count < 0 || static_cast<std::size_t>(count) >= context.size() ? context : context.last(static_cast<std::size_t>(count));
}

float bounded(float x) {
  constexpr float most = std::numeric_limits<float>::max();
  return x > most ? most : (x < -most ? -most : x);
}

double fold(double (&sums)[lanes]) {
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) sums[j] += sums[j + half];
  }
  return sums[0];
}

struct Scan {
  bool finite;
  float best;
};

Scan scan(std::span<const float> logits) {
  float best[lanes], poison[lanes] = {};  // x * 0 is 0 where x is finite, and NaN where it is not
  std::fill_n(best, lanes, -std::numeric_limits<float>::infinity());
  const std::size_t whole = logits.size() - logits.size() % lanes;
  for (std::size_t i = 0; i < whole; i += lanes) {
    const float* x = logits.data() + i;
    for (int j = 0; j < lanes; ++j) {
      poison[j] += x[j] * 0.0f;
      best[j] = x[j] > best[j] ? x[j] : best[j];
    }
  }
  for (std::size_t i = whole; i < logits.size(); ++i) {
    poison[0] += logits[i] * 0.0f;
    best[0] = logits[i] > best[0] ? logits[i] : best[0];
  }
  float sum = 0;
  for (const float p : poison) sum += p;
  return {.finite = sum == 0, .best = *std::max_element(best, best + lanes)};
}

// repeats[k] = how many of the last tokens stand also before the last k ones, for k in [1, size).
//   source   the Z function of the reversed text: D. Gusfield, Algorithms on Strings, Trees and Sequences, 1.4; linear time
void count_repeats(std::span<const TokenId> text, std::vector<int>& repeats) {
  const int n = static_cast<int>(text.size());
  const auto reversed = [&](int i) { return text[static_cast<std::size_t>(n - 1 - i)]; };
  repeats.assign(text.size(), 0);
  // reversed: [left, right) equals [0, right - left), the match that reaches furthest so far
  for (int k = 1, left = 0, right = 0; k < n; ++k) {
    int length = k < right ? std::min(right - k, repeats[static_cast<std::size_t>(k - left)]) : 0;
    while (k + length < n && reversed(length) == reversed(k + length)) ++length;
    if (k + length > right) {
      left = k;
      right = k + length;
    }
    repeats[static_cast<std::size_t>(k)] = length;
  }
}

double power(double base, int exponent) {
  double value = 1;
  for (int i = 0; i < exponent && value < 1e30; ++i) value *= base;
  return value;
}

}  // namespace

Error nonfinite(const char* numbers, std::size_t position) {
  return {Code::internal, fmt::format("nonfinite {}: the model gave NaN or infinity at position {}; the model file may be damaged, "
                                      "check it with another prompt",
                                      numbers, position)};
}

const Sampler::StageWork Sampler::work_rows[] = {
    {Stage::penalties, &Sampler::apply_penalties},
    {Stage::dry, &Sampler::apply_dry},
    {Stage::top_n_sigma, &Sampler::apply_top_n_sigma},
    {Stage::top_k, &Sampler::apply_top_k},
    {Stage::typical_p, &Sampler::apply_typical_p},
    {Stage::top_p, &Sampler::apply_top_p},
    {Stage::min_p, &Sampler::apply_min_p},
    {Stage::xtc, &Sampler::apply_xtc},
    {Stage::temperature, &Sampler::apply_temperature},
};

Sampler::Sampler(int vocab) : vocab_(vocab), tally_(static_cast<std::size_t>(vocab)) {
  QN_CHECK(vocab > 0, "a vocabulary has tokens");
}

Result<Sampled> Sampler::sample(const SamplingParameters& parameters, const SampleRequest& request) {
  QN_CHECK(request.logits.size() == static_cast<std::size_t>(vocab_), "one logit for each token");
  const Scan scanned = scan(request.logits);
  if (!scanned.finite) return tl::unexpected(nonfinite("logits", request.context.size()));

  const Turn turn{parameters, request.context, request.prompt_tokens};
  const bool greedy = parameters.temperature < greedy_below;
  const bool changed = !parameters.logit_bias.empty() || !request.banned.empty() || !request.allowed.empty() ||
                       (penalizes(parameters) && lists(parameters, Stage::penalties)) ||
                       (holds_back_repetitions(parameters) && lists(parameters, Stage::dry));
  Sampled sampled{};
  if (greedy && !changed) {
    sampled.token = static_cast<TokenId>(std::ranges::find(request.logits, scanned.best) - request.logits.begin());
  } else {
    gather(parameters, request, request.banned);
    if (candidates_.empty() && !request.allowed.empty()) gather(parameters, request, {});
    if (candidates_.empty() && !request.allowed.empty()) {
      return fail(Code::bad_input, "constraint: it leaves no token to choose at position {}; loosen it, or ban fewer tokens",
                  request.context.size());
    }
    if (candidates_.empty()) return fail(Code::bad_input, "logit_bias: no token is left to choose from; ban fewer");
    for (const Stage stage : parameters.chain) {
      if (!greedy || stage == Stage::penalties || stage == Stage::dry) apply(stage, turn);
    }
    sampled.token = greedy ? std::ranges::min_element(candidates_, likelier)->token : draw(turn);
  }
  if (request.top_logprobs) add_scores(sampled, request.logits, *request.top_logprobs);
  return sampled;
}

Result<Sampled> Sampler::score(std::span<const float> logits, TokenId token, int top, std::size_t position) {
  if (!scan(logits).finite) return tl::unexpected(nonfinite("logits", position));
  Sampled sampled{.token = token, .top = {}};
  add_scores(sampled, logits, top);
  return sampled;
}

Result<std::vector<float>> Sampler::score(std::span<const float> logits, std::span<const TokenId> tokens, std::size_t position) {
  if (!scan(logits).finite) return tl::unexpected(nonfinite("logits", position));
  std::vector<float> scores;
  const Model model = weigh_model(logits);
  for (const TokenId token : tokens) scores.push_back(model.logprob(logits[static_cast<std::size_t>(token)]));
  return scores;
}

bool Sampler::likelier(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

void Sampler::gather(const SamplingParameters& parameters, const SampleRequest& request, std::span<const TokenId> banned) {
  const auto logit_of = [&](int token) { return request.logits[static_cast<std::size_t>(token)]; };
  const bool whole = request.allowed.empty();
  candidates_.resize(whole ? static_cast<std::size_t>(vocab_) : 0);
  for (int token = 0; whole && token < vocab_; ++token) candidates_[static_cast<std::size_t>(token)] = {token, logit_of(token)};
  const std::size_t words = std::min(request.allowed.size(), (static_cast<std::size_t>(vocab_) + 63) / 64);
  for (std::size_t word = 0; word < words; ++word) {
    for (std::uint64_t bits = request.allowed[word]; bits != 0; bits &= bits - 1) {
      const int token = static_cast<int>(word * 64) + std::countr_zero(bits);
      if (token < vocab_) candidates_.push_back({token, logit_of(token)});
    }
  }
  by_id_ = true;
  const auto find = [&](TokenId token) {
    if (whole) return candidates_.begin() + token;
    const auto at = std::ranges::lower_bound(candidates_, token, {}, &Candidate::token);
    return at != candidates_.end() && at->token == token ? at : candidates_.end();
  };
  constexpr float never = -std::numeric_limits<float>::infinity();
  bool some_never = !banned.empty();
  for (const LogitBias& entry : parameters.logit_bias) {
    const auto at = find(entry.token);
    if (at == candidates_.end()) continue;
    at->logit = entry.bias == never || at->logit == never ? never : bounded(at->logit + entry.bias);
    some_never |= at->logit == never;
  }
  for (const TokenId token : banned) {
    if (const auto at = find(token); at != candidates_.end()) at->logit = never;
  }
  if (some_never) std::erase_if(candidates_, [](const Candidate& c) { return c.logit == never; });
}

void Sampler::apply(Stage stage, const Turn& turn) {
  for (const StageWork& row : work_rows) {
    if (row.stage == stage) (this->*row.apply)(turn);
  }
}

//   source   repetition: Keskar et al. 2019 (arXiv:1909.05858), as llama.cpp does it; presence, frequency: OpenAI's API reference,
//            counted over the same window as repetition, as llama.cpp does, or over the part of it that is reply
// A tally is 1 for a token seen, and 2 more for each time that counts.
void Sampler::apply_penalties(const Turn& turn) {
  const SamplingParameters& p = turn.parameters;
  if (!penalizes(p)) return;
  const std::span<const TokenId> seen = last(turn.context, p.penalty_last_n);
  const std::size_t before = turn.context.size() - seen.size();
  const std::size_t counted_from = p.penalize_prompt || turn.prompt_tokens < before ? 0 : turn.prompt_tokens - before;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    tally(seen[i], (tally_[static_cast<std::size_t>(seen[i])] | 1) + (i >= counted_from ? 2 : 0));
  }
  change_tallied([&](float logit, int tally) {
    const int count = tally / 2;
    const float divided = logit > 0 ? logit / p.repetition_penalty : logit * p.repetition_penalty;
    return count == 0 ? divided : divided - (static_cast<float>(count) * p.frequency_penalty + p.presence_penalty);
  });
}

//   source   "DRY" by p-e-w, github.com/oobabooga/text-generation-webui pull request 5677; limits as in llama.cpp
void Sampler::apply_dry(const Turn& turn) {
  const SamplingParameters& p = turn.parameters;
  if (!holds_back_repetitions(p)) return;
  const auto breaks = [&](TokenId token) { return std::ranges::binary_search(p.dry_breakers, token); };
  const std::span<const TokenId> text = last(turn.context, p.dry_last_n);
  const auto n = static_cast<int>(text.size());
  int reach = 0;  // tokens since the last breaker
  while (reach < n && !breaks(text[static_cast<std::size_t>(n - 1 - reach)])) ++reach;
  if (n <= p.dry_allowed_length || reach < p.dry_allowed_length) return;

  count_repeats(text, repeats_);
  for (int k = 1; k < n; ++k) {
    const int repeated = std::min(repeats_[static_cast<std::size_t>(k)], reach);
    const TokenId next = text[static_cast<std::size_t>(n - k)];  // what followed then
    if (repeated < p.dry_allowed_length || breaks(next)) continue;
    tally(next, std::max(tally_[static_cast<std::size_t>(next)], repeated + 1));  // + 1: zero means no tally
  }
  change_tallied([&](float logit, int repeated_and_one) {
    const int over = repeated_and_one - 1 - p.dry_allowed_length;
    return logit - static_cast<float>(static_cast<double>(p.dry_multiplier) * power(p.dry_base, over));
  });
}

//   source   Tang et al. 2024, "Top-nσ: Not All Logits Are You Need" (arXiv:2411.07641)
void Sampler::apply_top_n_sigma(const Turn& turn) {
  const float sigmas = turn.parameters.top_n_sigma;
  if (sigmas <= 0) return;
  double sum = 0, squares = 0;
  for (const Candidate& c : candidates_) sum += c.logit;
  const double count = static_cast<double>(candidates_.size()), mean = sum / count;
  for (const Candidate& c : candidates_) squares += (c.logit - mean) * (c.logit - mean);
  const double lowest = best_logit() - sigmas * std::sqrt(squares / count);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.logit < lowest; });
}

void Sampler::apply_top_k(const Turn& turn) {
  if (turn.parameters.top_k > 0) keep_best(static_cast<std::size_t>(turn.parameters.top_k));
}

//   source   Meister et al. 2022, "Locally Typical Sampling" (arXiv:2202.00666)
void Sampler::apply_typical_p(const Turn& turn) {
  const double p = turn.parameters.typical_p;
  if (p >= 1) return;
  const float best = best_logit();
  const double total = weigh(best), log_total = portable_log(total);
  double entropy = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    entropy += weights_[i] / total * (log_total - (static_cast<double>(candidates_[i].logit) - best));
  }
  ranked_.clear();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const double surprise = log_total - (static_cast<double>(candidates_[i].logit) - best);
    ranked_.push_back({std::abs(surprise - entropy), candidates_[i].token, weights_[i]});
  }
  keep_ranked_until(p * total);
}

//   source   Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration" (arXiv:1904.09751)
void Sampler::apply_top_p(const Turn& turn) {
  const double p = turn.parameters.top_p;
  if (p >= 1) return;
  const float best = best_logit();
  const double total = weigh(best);
  // All candidates below this weight together are less than 1 - p, so none of them is needed to reach p.
  const double needless = (1 - p) * total / static_cast<double>(candidates_.size());
  ranked_.clear();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& c = candidates_[i];
    if (weights_[i] >= needless) ranked_.push_back({-static_cast<double>(c.logit), c.token, weights_[i]});
  }
  keep_ranked_until(p * total);
}

//   source   Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling" (arXiv:2407.01082)
void Sampler::apply_min_p(const Turn& turn) {
  if (turn.parameters.min_p <= 0) return;
  const double lowest = best_logit() + portable_log(turn.parameters.min_p);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.logit < lowest; });
}

//   source   "Exclude Top Choices" by p-e-w, github.com/oobabooga/text-generation-webui pull request 6335
void Sampler::apply_xtc(const Turn& turn) {
  const SamplingParameters& p = turn.parameters;
  if (p.xtc_probability <= 0 || p.xtc_threshold > 0.5f || candidates_.size() < 2) return;
  if (uniform(p.seed, turn.context.size(), xtc_stream) >= p.xtc_probability) return;
  const double total = weigh(best_logit());
  const auto is_top = [&](std::size_t i) { return weights_[i] >= p.xtc_threshold * total; };
  const Candidate* stays = nullptr;  // the least likely of the top
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (is_top(i) && (stays == nullptr || likelier(*stays, candidates_[i]))) stays = &candidates_[i];
  }
  if (stays == nullptr) return;
  const TokenId stays_token = stays->token;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!is_top(i) || candidates_[i].token == stays_token) candidates_[kept++] = candidates_[i];
  }
  candidates_.resize(kept);
}

void Sampler::apply_temperature(const Turn& turn) {
  for (Candidate& c : candidates_) c.logit = bounded(c.logit / turn.parameters.temperature);
}

// The draw depends on who is left and with what logit, not on the order in which the stages left them.
TokenId Sampler::draw(const Turn& turn) {
  if (!by_id_) std::ranges::sort(candidates_, {}, &Candidate::token);
  const double target = weigh(best_logit()) * uniform(turn.parameters.seed, turn.context.size(), token_stream);
  double reached = 0;
  TokenId chosen = -1;
  for (std::size_t i = 0; i < candidates_.size() && reached <= target; ++i) {
    if (weights_[i] <= 0) continue;
    chosen = candidates_[i].token;
    reached += weights_[i];
  }
  return chosen;
}

float Sampler::Model::logprob(float logit) const {
  return static_cast<float>(static_cast<double>(logit) - best - log_total);
}

Sampler::Model Sampler::weigh_model(std::span<const float> logits) {
  candidates_.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) candidates_[i] = {static_cast<TokenId>(i), logits[i]};
  const float best = best_logit();
  return {.best = best, .log_total = portable_log(weigh(best))};
}

void Sampler::add_scores(Sampled& sampled, std::span<const float> logits, int top) {
  const Model model = weigh_model(logits);
  sampled.logprob = model.logprob(logits[static_cast<std::size_t>(sampled.token)]);
  if (top <= 0) return;
  keep_best(static_cast<std::size_t>(top));
  std::ranges::sort(candidates_, likelier);
  for (const Candidate& c : candidates_) sampled.top.push_back({c.token, model.logprob(c.logit)});
}

void Sampler::tally(TokenId token, int value) {
  int& noted = tally_[static_cast<std::size_t>(token)];
  if (noted == 0) tallied_.push_back(token);
  noted = value;
}

// logit = change(logit, tally) for every candidate with a tally; clears the tallies.
template <class Change>
void Sampler::change_tallied(Change change) {
  const auto change_one = [&](Candidate& c) { c.logit = bounded(change(c.logit, tally_[static_cast<std::size_t>(c.token)])); };
  if (by_id_) {
    for (const TokenId token : tallied_) {
      const auto at = std::ranges::lower_bound(candidates_, token, {}, &Candidate::token);
      if (at != candidates_.end() && at->token == token) change_one(*at);
    }
  } else {
    for (Candidate& c : candidates_) {
      if (tally_[static_cast<std::size_t>(c.token)] != 0) change_one(c);
    }
  }
  clear_tallies();
}

void Sampler::clear_tallies() {
  for (const TokenId token : tallied_) tally_[static_cast<std::size_t>(token)] = 0;
  tallied_.clear();
}

// Keeps the `count` most likely. One pass: what is gathered is cut back to the best `count` each time it has doubled, and the
// last of these bars the way for most of what follows.
void Sampler::keep_best(std::size_t count) {
  if (count >= candidates_.size()) return;
  const auto begin = candidates_.begin();
  const auto last_kept = begin + static_cast<std::ptrdiff_t>(count) - 1;
  const std::size_t room = 2 * count + 64;
  std::size_t gathered = 0;
  Candidate bar{std::numeric_limits<TokenId>::max(), -std::numeric_limits<float>::infinity()};
  for (const Candidate c : candidates_) {
    if (!likelier(c, bar)) continue;
    candidates_[gathered++] = c;
    if (gathered < room) continue;
    std::nth_element(begin, last_kept, begin + static_cast<std::ptrdiff_t>(gathered), likelier);
    bar = *last_kept;
    gathered = count;
  }
  std::nth_element(begin, last_kept, begin + static_cast<std::ptrdiff_t>(gathered), likelier);
  candidates_.resize(count);
  by_id_ = false;
}

// Keeps the fewest of ranked_, lowest rank first and then lowest token, whose weights together reach `enough`; at least one.
// Selects by halves instead of sorting, since a flat distribution may need most of the vocabulary.
void Sampler::keep_ranked_until(double enough) {
  const auto before = [](const Ranked& a, const Ranked& b) { return a.rank < b.rank || (a.rank == b.rank && a.token < b.token); };
  // ranked_: [0, taken) needed for certain   [taken, open) undecided, some first ones needed   [open, size) not needed
  std::size_t taken = 0, open = ranked_.size();
  double reached = 0;
  while (open - taken > 1) {
    const std::size_t middle = taken + (open - taken) / 2;
    const auto at = [&](std::size_t i) { return ranked_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(taken), at(middle), at(open), before);
    double sum = 0;
    for (std::size_t i = taken; i < middle; ++i) sum += ranked_[i].weight;
    if (reached + sum >= enough) {
      open = middle;
    } else {
      reached += sum;
      taken = middle;
    }
  }
  for (std::size_t i = 0; i < open; ++i) tally(ranked_[i].token, 1);
  std::erase_if(candidates_, [&](const Candidate& c) { return tally_[static_cast<std::size_t>(c.token)] == 0; });
  clear_tallies();
}

float Sampler::best_logit() const {
  float best = candidates_.front().logit;
  for (const Candidate& c : candidates_) best = c.logit > best ? c.logit : best;
  return best;
}

// Fills weights_ and returns their sum.
double Sampler::weigh(float best) {
  const std::size_t count = candidates_.size(), padded = (count + lanes - 1) / lanes * lanes;
  weights_.assign(padded, -std::numeric_limits<float>::infinity());
  for (std::size_t i = 0; i < count; ++i) weights_[i] = candidates_[i].logit - best;
  double sums[lanes] = {};
  for (std::size_t i = 0; i < padded; i += lanes) {
    float* w = weights_.data() + i;
    for (int j = 0; j < lanes; ++j) w[j] = portable_exp(w[j]);
    for (int j = 0; j < lanes; ++j) sums[j] += w[j];
  }
  return fold(sums);
}

}  // namespace qn::engine
