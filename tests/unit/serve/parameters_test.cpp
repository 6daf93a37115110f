#include "serve/parameters.h"

#include <gtest/gtest.h>

namespace qn::serve {
namespace {

TEST(Parameters, every_row_can_be_set_and_read_back) {
  for (const ParameterRow& row : parameter_rows()) {
    Parameters parameters;
    EXPECT_TRUE(parameter_values(parameters, row).empty()) << row.name;
    ASSERT_TRUE(set_parameter(parameters, row.name, "1")) << row.name;
    EXPECT_EQ(parameter_values(parameters, row), std::vector<std::string>{"1"}) << row.name;
  }
}

TEST(Parameters, errors_are_in_the_words_that_users_know) {
  Parameters parameters;
  EXPECT_EQ(set_parameter(parameters, "warmth", "1").error().message, "unknown parameter 'warmth'");
  EXPECT_EQ(set_parameter(parameters, "temperature", "hot").error().message, "invalid float value [hot]");
  EXPECT_EQ(set_parameter(parameters, "top_k", "1.5").error().message, "invalid int value [1.5]");
  EXPECT_EQ(set_parameter(parameters, "seed", "x").error().message, "invalid int value [x]");
  EXPECT_FALSE(set_parameter(parameters, "top_p", "1.5"));
  EXPECT_FALSE(set_parameter(parameters, "temperature", "nan"));
  EXPECT_FALSE(set_parameter(parameters, "temperature", "inf"));
  EXPECT_FALSE(set_parameter(parameters, "num_ctx", "-5"));
  EXPECT_FALSE(set_parameter(parameters, "stop", ""));
  EXPECT_FALSE(set_parameter(parameters, "stop", std::string(1000, 'x')));
}

TEST(Parameters, a_seed_of_minus_one_is_no_seed) {
  Parameters parameters;
  ASSERT_TRUE(set_parameter(parameters, "seed", "7"));
  ASSERT_TRUE(set_parameter(parameters, "seed", "-1"));
  EXPECT_FALSE(parameters.sampling.seed);
}

TEST(Parameters, the_models_own_values_come_from_its_metadata) {
  file::Metadata metadata;
  metadata.set("general.sampling.temp", 0.6f);
  metadata.set("general.sampling.top_p", 0.95f);
  metadata.set("general.sampling.top_k", std::int32_t{20});
  const auto parameters = recommended_parameters(metadata);
  ASSERT_TRUE(parameters) << parameters.error().message;
  EXPECT_EQ(parameters->sampling.temperature, 0.6f);
  EXPECT_EQ(parameter_values(*parameters, *find_parameter("top_p")), std::vector<std::string>{"0.95"});
  EXPECT_EQ(parameters->sampling.top_k, 20);
  EXPECT_FALSE(parameters->sampling.min_p);
}

TEST(Parameters, a_model_with_a_senseless_value_is_refused) {
  file::Metadata range, type;
  range.set("general.sampling.top_p", 7.0f);
  type.set("general.sampling.temp", std::string("hot"));
  EXPECT_FALSE(recommended_parameters(range));
  EXPECT_FALSE(recommended_parameters(type));
}

TEST(Parameters, what_the_user_sets_wins) {
  Parameters user, model;
  ASSERT_TRUE(set_parameter(user, "temperature", "0"));
  ASSERT_TRUE(set_parameter(model, "temperature", "1"));
  ASSERT_TRUE(set_parameter(model, "top_k", "20"));
  const Parameters both = merge(user, model);
  EXPECT_EQ(both.sampling.temperature, 0.0f);
  EXPECT_EQ(both.sampling.top_k, 20);
}

}  // namespace
}  // namespace qn::serve
