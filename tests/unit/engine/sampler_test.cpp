#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/random.h"

namespace qn::engine {
namespace {

using Logits = std::vector<float>;
using Tokens = std::vector<TokenId>;

// Nothing but the stages given, in their order, and temperature 1: what is left is drawn from as it is.
SamplingParameters only(std::vector<Stage> chain) {
  SamplingParameters parameters;
  parameters.temperature = 1;
  parameters.chain = std::move(chain);
  return parameters;
}

TokenId choose(const SamplingParameters& parameters, const Logits& logits, const Tokens& context = {}, const Tokens& banned = {}) {
  Sampler sampler(static_cast<int>(logits.size()));
  const auto sampled = sampler.sample(parameters, {.logits = logits, .context = context, .banned = banned, .top_logprobs = {}});
  EXPECT_TRUE(sampled) << sampled.error().message;
  return sampled ? sampled->token : -1;
}

// Which tokens can come at all: those seen over many seeds.
std::set<TokenId> possible(SamplingParameters parameters, const Logits& logits, const Tokens& context = {}) {
  std::set<TokenId> seen;
  for (parameters.seed = 0; parameters.seed < 3000; ++parameters.seed) seen.insert(choose(parameters, logits, context));
  return seen;
}

Logits logs(std::initializer_list<double> probabilities) {
  Logits logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)) + 3.0f);
  return logits;
}

SamplingParameters greedy() {
  SamplingParameters parameters;
  parameters.temperature = 0;
  return parameters;
}

TEST(Sampler, temperature_zero_takes_the_most_likely_and_the_lowest_id_of_equals) {
  EXPECT_EQ(choose(greedy(), {0, 5, 1, 5}), 1);
  EXPECT_EQ(choose(greedy(), Logits(40, 2.0f)), 0);
}

TEST(Sampler, top_k_keeps_the_k_most_likely) {
  SamplingParameters p = only({Stage::top_k});
  p.top_k = 2;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1, 3}));
  p.top_k = 1;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1}));
  for (const int all : {0, -1, 4, 5}) {
    p.top_k = all;
    EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})).size(), 4u);
  }
}

TEST(Sampler, top_k_takes_the_lowest_ids_of_equals) {
  SamplingParameters p = only({Stage::top_k});
  p.top_k = 2;
  EXPECT_EQ(possible(p, Logits(300, 1.0f)), (std::set<TokenId>{0, 1}));
}

TEST(Sampler, top_p_keeps_the_fewest_that_reach_p) {
  SamplingParameters p = only({Stage::top_p});
  p.top_p = 0.65f;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1, 3}));
  p.top_p = 0.75f;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1, 2, 3}));
  p.top_p = 0;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1}));
  p.top_p = 1;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})).size(), 4u);
}

TEST(Sampler, min_p_keeps_those_near_enough_to_the_best) {
  SamplingParameters p = only({Stage::min_p});
  p.min_p = 0.45f;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1, 2, 3}));
  p.min_p = 0.55f;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1, 3}));
  p.min_p = 1;
  EXPECT_EQ(possible(p, logs({0.1, 0.4, 0.2, 0.3})), (std::set<TokenId>{1}));
}

TEST(Sampler, typical_p_prefers_the_expected_surprise_to_the_likeliest) {
  // Surprise: 0.51, 1.90, 2.12, 2.66; mean 1.18. Nearest first: token 0 (0.67 away), 1 (0.72), 2, 3.
  SamplingParameters p = only({Stage::typical_p});
  p.typical_p = 0.5f;
  EXPECT_EQ(possible(p, logs({0.60, 0.15, 0.12, 0.07, 0.06})), (std::set<TokenId>{0}));
  // Surprise 1.05 for the likeliest, 1.39 for the others; mean 1.27: the others are nearer.
  p.typical_p = 0.3f;
  EXPECT_EQ(possible(p, logs({0.34, 0.22, 0.22, 0.22})), (std::set<TokenId>{1, 2}));
}

TEST(Sampler, top_n_sigma_keeps_what_lies_within_n_deviations_of_the_best) {
  SamplingParameters p = only({Stage::top_n_sigma});
  p.top_n_sigma = 1;  // of 1, 2, 3, 4, 5: deviation 1.41
  EXPECT_EQ(possible(p, {1, 2, 3, 4, 5}), (std::set<TokenId>{3, 4}));
  p.top_n_sigma = 0;
  EXPECT_EQ(possible(p, {1, 2, 3, 4, 5}).size(), 5u);
}

TEST(Sampler, xtc_excludes_all_of_the_top_but_its_least_likely) {
  SamplingParameters p = only({Stage::xtc});
  p.xtc_probability = 1;
  p.xtc_threshold = 0.15f;
  EXPECT_EQ(possible(p, logs({0.4, 0.3, 0.2, 0.06, 0.04})), (std::set<TokenId>{2, 3, 4}));
  p.xtc_threshold = 0.35f;
  EXPECT_EQ(possible(p, logs({0.4, 0.3, 0.2, 0.06, 0.04})).size(), 5u) << "one alone at the top stays";
  p.xtc_threshold = 0.51f;
  EXPECT_EQ(possible(p, logs({0.4, 0.3, 0.2, 0.06, 0.04})).size(), 5u);
}

TEST(Sampler, xtc_strikes_as_often_as_its_probability_says) {
  SamplingParameters p = only({Stage::xtc, Stage::top_k});
  p.top_k = 1;
  p.xtc_probability = 0.25f;
  p.xtc_threshold = 0.2f;
  int struck = 0;
  for (p.seed = 0; p.seed < 4000; ++p.seed) struck += choose(p, logs({0.6, 0.4})) == 1;
  EXPECT_NEAR(struck, 1000, 4 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(Sampler, repetition_divides_positive_logits_and_multiplies_negative_ones) {
  SamplingParameters p = greedy();
  p.repetition_penalty = 2;
  EXPECT_EQ(choose(p, {4, 3}, {0}), 1) << "4 / 2 < 3";
  EXPECT_EQ(choose(p, {4, 1}, {0}), 0) << "4 / 2 > 1";
  EXPECT_EQ(choose(p, {-1, -1.5f}, {0}), 1) << "-1 * 2 < -1.5";
}

TEST(Sampler, presence_counts_once_and_frequency_each_time) {
  SamplingParameters p = greedy();
  p.presence_penalty = 1;
  EXPECT_EQ(choose(p, {4, 2.5f}, {0, 0, 0}), 0);
  p.presence_penalty = 0;
  p.frequency_penalty = 1;
  EXPECT_EQ(choose(p, {4, 2.5f}, {0}), 0);
  EXPECT_EQ(choose(p, {4, 2.5f}, {0, 0}), 1);
}

TEST(Sampler, penalties_look_no_further_back_than_their_window) {
  SamplingParameters p = greedy();
  p.presence_penalty = 5;
  p.penalty_last_n = 2;
  EXPECT_EQ(choose(p, {4, 2, 0}, {0, 2, 2}), 0);
  p.penalty_last_n = 3;
  EXPECT_EQ(choose(p, {4, 2, 0}, {0, 2, 2}), 1);
  p.penalty_last_n = -1;
  EXPECT_EQ(choose(p, {4, 2, 0}, {0, 2, 2}), 1);
  p.penalty_last_n = 0;
  EXPECT_EQ(choose(p, {4, 2, 0}, {0, 2, 2}), 0);
}

TEST(Sampler, dry_holds_back_the_token_that_would_repeat_what_came_before) {
  SamplingParameters p = greedy();
  p.dry_multiplier = 1;
  p.dry_base = 2;
  p.dry_allowed_length = 2;
  const Tokens context = {1, 2, 3, 9, 1, 2};  // 3 would make "1 2 3" again: loses 1 * 2^0
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 3.5f, 0, 0, 0, 0, 0}, context), 4);
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 2.5f, 0, 0, 0, 0, 0}, context), 3);
  p.dry_allowed_length = 3;
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 3.5f, 0, 0, 0, 0, 0}, context), 3) << "two tokens are allowed now";
}

TEST(Sampler, dry_grows_with_the_length_of_the_repetition) {
  SamplingParameters p = greedy();
  p.dry_multiplier = 1;
  p.dry_base = 2;
  const Tokens context = {5, 1, 2, 3, 9, 5, 1, 2};  // three tokens repeated: 1 * 2^(3 - 2)
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 2.5f, 0, 0, 0, 0, 0}, context), 4);
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 1.5f, 0, 0, 0, 0, 0}, context), 3);
}

TEST(Sampler, dry_does_not_reach_across_a_breaker) {
  SamplingParameters p = greedy();
  p.dry_multiplier = 10;
  const Tokens context = {1, 2, 3, 9, 1, 2};
  p.dry_breakers = {1};
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 3, 0, 0, 0, 0, 0}, context), 3) << "only one token since the breaker";
  p.dry_breakers = {3};
  EXPECT_EQ(choose(p, {0, 0, 0, 4, 3, 0, 0, 0, 0, 0}, context), 3) << "a breaker itself is not held back";
}

TEST(Sampler, a_very_long_repetition_gives_no_infinity) {
  SamplingParameters p = greedy();
  p.dry_multiplier = 1000;
  p.dry_base = 1000;
  p.dry_last_n = -1;
  EXPECT_EQ(choose(p, {5, 4}, Tokens(3000, 0)), 1);
  p.temperature = 1;
  EXPECT_EQ(choose(p, {5, 4}, Tokens(3000, 0)), 1);
}

TEST(Sampler, a_bias_is_added_first_and_minus_infinity_bans) {
  SamplingParameters p = greedy();
  p.logit_bias = {{1, 3}};
  EXPECT_EQ(choose(p, {4, 2}), 1);
  p.logit_bias = {{0, -std::numeric_limits<float>::infinity()}, {0, 100}};
  EXPECT_EQ(choose(p, {4, 2}), 1);
}

TEST(Sampler, a_banned_token_is_never_chosen) {
  SamplingParameters p;
  for (p.seed = 0; p.seed < 500; ++p.seed) EXPECT_NE(choose(p, {4, 3, 3}, {}, {0}), 0);
  EXPECT_EQ(choose(greedy(), {4, 3, 2}, {}, {0}), 1);
}

TEST(Sampler, with_every_token_banned_the_request_fails) {
  Sampler sampler(2);
  const Logits logits = {1, 2};
  const Tokens banned = {0, 1};
  const auto sampled = sampler.sample(greedy(), {.logits = logits, .context = {}, .banned = banned, .top_logprobs = {}});
  ASSERT_FALSE(sampled);
  EXPECT_EQ(sampled.error().code, Code::bad_input);
}

TEST(Sampler, nonfinite_logits_fail_the_request_wherever_they_stand) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (const std::size_t at : {0u, 15u, 16u, 36u}) {
      Logits logits(37, 1.0f);
      logits[at] = bad;
      Sampler sampler(37);
      for (const SamplingParameters& p : {greedy(), SamplingParameters{}}) {
        const auto sampled = sampler.sample(p, {.logits = logits, .context = {}, .banned = {}, .top_logprobs = {}});
        ASSERT_FALSE(sampled) << bad << " at " << at;
        EXPECT_EQ(sampled.error().message.find("nonfinite logits"), 0u);
      }
    }
  }
}

TEST(Sampler, extremes_of_every_number_choose_a_token_of_the_vocabulary) {
  const Logits ordinary = {1, -2, 3, 0.5f, 2.9f}, huge = {3e38f, -3e38f, 3e38f, 0, 1e-38f};
  const Tokens context = {0, 2, 0, 2, 0, 2, 4};
  const auto expect_a_token = [&](const SamplingParameters& p, const char* name) {
    for (const Logits& logits : {ordinary, huge}) {
      const TokenId token = choose(p, logits, context);
      EXPECT_TRUE(token >= 0 && token < 5) << name;
    }
  };
  for (const NumberRow<float>& row : float_rows()) {
    for (const float value : {row.low, row.high, 1e-5f, 1e-30f}) {
      SamplingParameters p;
      p.dry_multiplier = 1;
      p.*row.value = value;
      if (check(p, 5)) expect_a_token(p, row.name);
    }
  }
  for (const NumberRow<int>& row : int_rows()) {
    for (const int value : {row.low, 0, 1, row.high}) {
      SamplingParameters p;
      p.presence_penalty = 1;
      p.*row.value = value;
      expect_a_token(p, row.name);
    }
  }
}

TEST(Sampler, the_draw_depends_on_seed_and_position_alone) {
  SamplingParameters p = only({});
  const Logits logits(1000, 0.0f);
  Sampler used(1000);
  for (int i = 0; i < 10; ++i) {
    p.seed = static_cast<std::uint64_t>(i);
    ASSERT_TRUE(used.sample(p, {.logits = logits, .context = Tokens(3, 1), .banned = {}, .top_logprobs = {}}));
  }
  p.seed = 42;
  const auto again = used.sample(p, {.logits = logits, .context = Tokens(7, 1), .banned = {}, .top_logprobs = {}});
  EXPECT_EQ(again->token, choose(p, logits, Tokens(7, 2))) << "what the sampler did before does not matter";
  std::set<TokenId> by_position, by_seed;
  for (std::size_t i = 0; i < 20; ++i) {
    by_position.insert(choose(p, logits, Tokens(i, 0)));
    p.seed = 100 + i;
    by_seed.insert(choose(p, logits));
    p.seed = 42;
  }
  EXPECT_GT(by_position.size(), 15u);
  EXPECT_GT(by_seed.size(), 15u);
}

TEST(Sampler, the_draw_does_not_depend_on_how_the_candidates_were_found) {
  Logits logits;
  for (std::uint64_t i = 0; i < 500; ++i) logits.push_back(uniform(9, i) * 8);
  SamplingParameters by_k = only({Stage::top_k}), by_bias = only({});
  by_k.top_k = 3;
  const std::set<TokenId> best = possible(by_k, logits);
  for (TokenId token = 0; token < 500; ++token) {
    if (!best.contains(token)) by_bias.logit_bias.push_back({token, -std::numeric_limits<float>::infinity()});
  }
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    by_k.seed = by_bias.seed = seed;
    ASSERT_EQ(choose(by_k, logits), choose(by_bias, logits)) << seed;
  }
}

// Chi-squared over ten outcomes, nine degrees of freedom: above 33.7 once in ten thousand.
TEST(Sampler, frequencies_are_the_probabilities) {
  const std::vector<double> probabilities = {0.05, 0.2, 0.01, 0.14, 0.1, 0.02, 0.08, 0.3, 0.04, 0.06};
  Logits logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(2 * std::log(p)));
  SamplingParameters p = only({Stage::temperature});
  p.temperature = 2;  // undoes the 2 above
  constexpr int draws = 40000;
  std::vector<int> count(10);
  Sampler sampler(10);
  for (p.seed = 0; p.seed < draws; ++p.seed) {
    const auto sampled = sampler.sample(p, {.logits = logits, .context = {}, .banned = {}, .top_logprobs = {}});
    ++count[static_cast<std::size_t>(sampled->token)];
  }
  double chi_squared = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const double expected = draws * probabilities[i];
    chi_squared += (count[i] - expected) * (count[i] - expected) / expected;
  }
  EXPECT_LT(chi_squared, 33.7);
}

TEST(Sampler, log_probabilities_are_the_models_own_whatever_the_samplers_do) {
  Sampler sampler(4);
  const Logits logits = logs({0.1, 0.4, 0.2, 0.3});
  SamplingParameters p = greedy();
  p.logit_bias = {{0, 100}};
  const auto sampled = sampler.sample(p, {.logits = logits, .context = {}, .banned = {}, .top_logprobs = 2});
  EXPECT_EQ(sampled->token, 0);
  EXPECT_NEAR(sampled->logprob, std::log(0.1), 1e-6);
  ASSERT_EQ(sampled->top.size(), 2u);
  EXPECT_EQ(sampled->top[0].token, 1);
  EXPECT_NEAR(sampled->top[0].logprob, std::log(0.4), 1e-6);
  EXPECT_EQ(sampled->top[1].token, 3);
}

TEST(Sampler, more_log_probabilities_than_tokens_are_all_of_them) {
  Sampler sampler(3);
  const Logits logits = {1, 2, 3};
  const auto sampled = sampler.sample(greedy(), {.logits = logits, .context = {}, .banned = {}, .top_logprobs = 20});
  EXPECT_EQ(sampled->top.size(), 3u);
}

}  // namespace
}  // namespace qn::engine
