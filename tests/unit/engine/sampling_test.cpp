#include "engine/sampling.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qn::engine {
namespace {

constexpr int vocab = 100;
constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(SamplingParameters, the_defaults_are_in_range) {
  EXPECT_TRUE(check(SamplingParameters{}, vocab));
}

TEST(SamplingParameters, every_number_is_accepted_at_its_bounds_and_refused_beyond_them_by_name) {
  for (const NumberRow<float>& row : float_rows()) {
    for (const float good : {row.low, row.high}) {
      SamplingParameters parameters;
      parameters.*row.value = good;
      EXPECT_TRUE(check(parameters, vocab)) << row.name << " " << good;
    }
    // Not the very next floats: those below 0 are denormal, and a thread that computed a model counts them as 0.
    for (const float bad : {row.low - 0.001f, row.high * 1.001f, infinity, -infinity, std::nanf("")}) {
      SamplingParameters parameters;
      parameters.*row.value = bad;
      const Status status = check(parameters, vocab);
      ASSERT_FALSE(status) << row.name << " " << bad;
      EXPECT_EQ(status.error().code, Code::bad_input);
      EXPECT_EQ(status.error().message.find(row.name), 0u) << status.error().message;
    }
  }
  for (const NumberRow<int>& row : int_rows()) {
    for (const int bad : {row.low - 1, row.high + 1}) {
      SamplingParameters parameters;
      parameters.*row.value = bad;
      EXPECT_FALSE(check(parameters, vocab)) << row.name << " " << bad;
    }
  }
}

TEST(SamplingParameters, a_refusal_gives_the_number_and_the_range) {
  SamplingParameters parameters;
  parameters.top_p = 1.5f;
  EXPECT_EQ(check(parameters, vocab).error().message, "top_p: 1.5 is out of range; give a number from 0 to 1");
}

TEST(SamplingParameters, a_token_outside_the_vocabulary_is_refused) {
  for (const TokenId token : {-1, vocab}) {
    SamplingParameters biased, broken;
    biased.logit_bias = {{token, 1.0f}};
    broken.dry_breakers = {token};
    EXPECT_FALSE(check(biased, vocab));
    EXPECT_FALSE(check(broken, vocab));
  }
}

TEST(SamplingParameters, a_bias_is_finite_or_minus_infinity) {
  for (const float bias : {infinity, std::nanf("")}) {
    SamplingParameters parameters;
    parameters.logit_bias = {{1, bias}};
    EXPECT_FALSE(check(parameters, vocab)) << bias;
  }
  SamplingParameters never;
  never.logit_bias = {{1, -infinity}};
  EXPECT_TRUE(check(never, vocab));
}

TEST(SamplingParameters, breakers_out_of_order_and_stages_listed_twice_are_refused) {
  SamplingParameters unsorted, twice;
  unsorted.dry_breakers = {5, 3};
  twice.chain = {Stage::top_k, Stage::temperature, Stage::top_k};
  EXPECT_FALSE(check(unsorted, vocab));
  EXPECT_FALSE(check(twice, vocab));
}

TEST(SamplingParameters, the_user_wins_over_the_model_and_the_model_over_the_defaults) {
  SamplingOverrides model, user;
  model.temperature = 0.6f;
  model.top_k = 20;
  user.temperature = 0.0f;
  user.seed = 7;
  const SamplingParameters merged = merge(merge(SamplingParameters{}, model), user);
  EXPECT_EQ(merged.temperature, 0.0f);
  EXPECT_EQ(merged.top_k, 20);
  EXPECT_EQ(merged.top_p, SamplingParameters{}.top_p);
  EXPECT_EQ(merged.seed, 7u);
}

TEST(SamplingParameters, every_row_can_be_overridden) {
  for (const NumberRow<float>& row : float_rows()) {
    SamplingOverrides said;
    said.*row.said = 0.25f;
    EXPECT_EQ(merge(SamplingParameters{}, said).*row.value, 0.25f) << row.name;
  }
  for (const NumberRow<int>& row : int_rows()) {
    SamplingOverrides said;
    said.*row.said = 5;
    EXPECT_EQ(merge(SamplingParameters{}, said).*row.value, 5) << row.name;
  }
}

TEST(SamplingParameters, the_default_chain_spells_edskypmxt) {
  std::string letters;
  for (const StageRow& row : stage_rows) letters += row.letter;
  EXPECT_EQ(letters, "edskypmxt");
  EXPECT_EQ(default_chain().size(), letters.size());
}

}  // namespace
}  // namespace qn::engine
