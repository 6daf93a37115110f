// The slow twin: the chain written straight from the definitions, in double precision, sorting everything. For random logits and
// parameters the sampler must choose the token whose stretch of the twin's distribution the draw falls into.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "base/random.h"
#include "engine/sampler.h"

namespace qn::engine {
namespace {

struct Entry {
  TokenId token;
  double logit;
  double p = 0;
};
using Entries = std::vector<Entry>;

void softmax(Entries& entries) {
  double best = -INFINITY, sum = 0;
  for (const Entry& e : entries) best = std::max(best, e.logit);
  for (Entry& e : entries) sum += e.p = std::exp(e.logit - best);
  for (Entry& e : entries) e.p /= sum;
}

void sort_by_likelihood(Entries& entries) {
  std::ranges::stable_sort(entries, [](const Entry& a, const Entry& b) { return a.logit > b.logit; });
  softmax(entries);
}

int repeated_before(const std::vector<TokenId>& text, std::size_t end) {  // longest common suffix of text[0, end) and text
  int length = 0;
  while (static_cast<std::size_t>(length) < end &&
         text[end - 1 - static_cast<std::size_t>(length)] == text[text.size() - 1 - static_cast<std::size_t>(length)])
    ++length;
  return length;
}

std::vector<TokenId> window(const std::vector<TokenId>& context, int last_n) {
  if (last_n < 0 || last_n > static_cast<int>(context.size())) return context;
  return {context.end() - last_n, context.end()};
}

void twin_stage(Stage stage, Entries& entries, const SamplingParameters& p, const std::vector<TokenId>& context) {
  std::ranges::sort(entries, {}, &Entry::token);
  switch (stage) {
    case Stage::penalties: {
      std::map<TokenId, int> count;
      for (const TokenId token : window(context, p.penalty_last_n)) ++count[token];
      for (Entry& e : entries) {
        if (count[e.token] == 0) continue;
        e.logit = e.logit > 0 ? e.logit / p.repetition_penalty : e.logit * p.repetition_penalty;
        e.logit -= count[e.token] * p.frequency_penalty + p.presence_penalty;
      }
      return;
    }
    case Stage::dry: {
      const std::vector<TokenId> text = window(context, p.dry_last_n);
      const auto breaks = [&](TokenId token) { return std::ranges::count(p.dry_breakers, token) > 0; };
      int reach = 0;
      while (reach < static_cast<int>(text.size()) && !breaks(text[text.size() - 1 - static_cast<std::size_t>(reach)])) ++reach;
      std::map<TokenId, double> loss;
      for (std::size_t at = 1; at < text.size(); ++at) {
        const int repeated = std::min(repeated_before(text, at), reach);
        if (repeated < p.dry_allowed_length || breaks(text[at])) continue;
        loss[text[at]] = std::max(loss[text[at]], p.dry_multiplier * std::pow(p.dry_base, repeated - p.dry_allowed_length));
      }
      if (static_cast<int>(text.size()) <= p.dry_allowed_length) return;
      for (Entry& e : entries) e.logit -= loss[e.token];
      return;
    }
    case Stage::top_n_sigma: {
      if (p.top_n_sigma <= 0) return;
      double mean = 0, variance = 0, best = -INFINITY;
      for (const Entry& e : entries) mean += e.logit / static_cast<double>(entries.size()), best = std::max(best, e.logit);
      for (const Entry& e : entries) variance += (e.logit - mean) * (e.logit - mean) / static_cast<double>(entries.size());
      std::erase_if(entries, [&](const Entry& e) { return e.logit < best - p.top_n_sigma * std::sqrt(variance); });
      return;
    }
    case Stage::top_k:
      sort_by_likelihood(entries);
      if (p.top_k > 0 && p.top_k < static_cast<int>(entries.size())) entries.resize(static_cast<std::size_t>(p.top_k));
      return;
    case Stage::typical_p: {
      if (p.typical_p >= 1) return;
      softmax(entries);
      double entropy = 0, sum = 0;
      for (const Entry& e : entries) entropy -= e.p > 0 ? e.p * std::log(e.p) : 0;
      std::ranges::stable_sort(entries, {}, [&](const Entry& e) { return std::abs(-std::log(e.p) - entropy); });
      std::size_t kept = 0;
      do sum += entries[kept++].p;
      while (kept < entries.size() && sum < p.typical_p);
      entries.resize(kept);
      return;
    }
    case Stage::top_p: {
      if (p.top_p >= 1) return;
      sort_by_likelihood(entries);
      double sum = 0;
      std::size_t kept = 0;
      do sum += entries[kept++].p;
      while (kept < entries.size() && sum < p.top_p);
      entries.resize(kept);
      return;
    }
    case Stage::min_p: {
      sort_by_likelihood(entries);
      const double lowest = p.min_p * entries[0].p;
      std::erase_if(entries, [&](const Entry& e) { return e.p < lowest; });
      return;
    }
    case Stage::xtc: {
      if (p.xtc_threshold > 0.5f || uniform(p.seed, context.size(), 1) >= p.xtc_probability) return;
      sort_by_likelihood(entries);
      const auto top = std::ranges::count_if(entries, [&](const Entry& e) { return e.p >= p.xtc_threshold; });
      if (top > 1) entries.erase(entries.begin(), entries.begin() + top - 1);
      return;
    }
    case Stage::temperature:
      for (Entry& e : entries) e.logit /= p.temperature;
      return;
  }
}

struct Setting {
  SamplingParameters parameters;
  std::vector<float> logits;
  std::vector<TokenId> context;
};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  float real(float low, float high) { return low + uniform(seed_, count_++) * (high - low); }
  int whole(int low, int high) { return low + static_cast<int>(philox(seed_, count_++)[0] % static_cast<std::uint32_t>(high - low + 1)); }
  bool maybe() { return whole(0, 1) == 1; }

 private:
  std::uint64_t seed_, count_ = 0;
};

Setting random_setting(std::uint64_t seed) {
  Dice dice(seed);
  Setting s;
  const int vocab = dice.whole(1, 3) == 1 ? dice.whole(1, 20) : dice.whole(20, 2000);
  const float spread = dice.real(0.5f, 20);
  for (int i = 0; i < vocab; ++i) s.logits.push_back(dice.real(-spread, spread / 2));
  const int words = std::min(vocab, dice.whole(1, 6));  // few, so that texts repeat themselves
  for (int i = dice.whole(0, 60); i > 0; --i) s.context.push_back(dice.whole(0, words - 1));
  SamplingParameters& p = s.parameters;
  p = SamplingParameters{.temperature = dice.real(0.1f, 3), .top_k = 0, .top_p = 1, .min_p = 0};
  if (dice.maybe()) p.top_k = dice.whole(1, 60);
  if (dice.maybe()) p.top_p = dice.real(0, 1);
  if (dice.maybe()) p.min_p = dice.real(0, 0.5f);
  if (dice.maybe()) p.typical_p = dice.real(0.1f, 1);
  if (dice.whole(1, 4) == 1) p.top_n_sigma = dice.real(0.1f, 3);
  if (dice.maybe()) p.repetition_penalty = dice.real(0.5f, 2);
  if (dice.maybe()) p.presence_penalty = dice.real(-1, 2);
  if (dice.maybe()) p.frequency_penalty = dice.real(-0.2f, 1);
  p.penalty_last_n = dice.whole(-1, 70);
  if (dice.maybe()) p.dry_multiplier = dice.real(0.1f, 2);
  p.dry_base = dice.real(1, 2);
  p.dry_allowed_length = dice.whole(0, 4);
  p.dry_last_n = dice.whole(-1, 70);
  if (dice.maybe()) p.dry_breakers = {dice.whole(0, words - 1)};
  if (dice.maybe()) p.xtc_probability = dice.real(0, 1);
  p.xtc_threshold = dice.real(0, 0.6f);
  p.seed = seed;
  for (std::size_t i = p.chain.size(); dice.maybe() && i-- > 1;) {  // sometimes another order
    std::swap(p.chain[i], p.chain[static_cast<std::size_t>(dice.whole(0, static_cast<int>(i)))]);
  }
  return s;
}

TEST(SamplerTwin, the_fast_chain_draws_from_the_distribution_of_the_slow_one) {
  int several = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Setting s = random_setting(seed);
    Entries entries;
    for (std::size_t i = 0; i < s.logits.size(); ++i) entries.push_back({static_cast<TokenId>(i), s.logits[i]});
    for (const Stage stage : s.parameters.chain) {
      if ((stage == Stage::dry && s.parameters.dry_multiplier <= 0) || (stage == Stage::min_p && s.parameters.min_p <= 0)) continue;
      twin_stage(stage, entries, s.parameters, s.context);
    }
    std::ranges::sort(entries, {}, &Entry::token);
    softmax(entries);
    several += entries.size() > 1;

    Sampler sampler(static_cast<int>(s.logits.size()));
    const auto sampled = sampler.sample(s.parameters, {.logits = s.logits, .context = s.context, .banned = {}, .top_logprobs = {}});
    ASSERT_TRUE(sampled) << sampled.error().message;
    const double draw = uniform(s.parameters.seed, s.context.size());
    double begin = 0;
    bool found = false;
    for (const Entry& e : entries) {
      if (e.token == sampled->token) {
        found = true;
        ASSERT_GE(draw, begin - 2e-6) << "seed " << seed;
        ASSERT_LE(draw, begin + e.p + 2e-6) << "seed " << seed;
      }
      begin += e.p;
    }
    ASSERT_TRUE(found) << "seed " << seed << ": token " << sampled->token << " is none of " << entries.size() << " candidates";
  }
  EXPECT_GT(several, 1500) << "the cases must leave something to draw from";
}

}  // namespace
}  // namespace qn::engine
