#include "api/embed.h"

#include <gtest/gtest.h>

namespace qn::api {
namespace {

std::vector<EmbedInput> read(std::string_view body, Reading& reading) {
  const json::Value value = *json::parse(body);
  Fields fields(&value.get_object(), "", reading);
  return read_inputs(fields, "input");
}

TEST(EmbedInputs, come_as_text_ids_or_lists_of_either) {
  Reading reading;
  EXPECT_EQ(read(R"({"input": "a"})", reading), (std::vector<EmbedInput>{"a"}));
  EXPECT_EQ(read(R"({"input": ["a", "b"]})", reading), (std::vector<EmbedInput>{"a", "b"}));
  EXPECT_EQ(read(R"({"input": [1, 2]})", reading), (std::vector<EmbedInput>{std::vector<TokenId>{1, 2}}));
  EXPECT_EQ(read(R"({"input": [[1], [2, 3]]})", reading), (std::vector<EmbedInput>{std::vector<TokenId>{1}, std::vector<TokenId>{2, 3}}));
  EXPECT_FALSE(reading.error);
}

TEST(EmbedInputs, empty_or_odd_ones_are_refused) {
  for (const std::string_view body : {R"({"input": ""})", R"({"input": []})", R"({"input": ["a", ""]})", R"({"input": [[]]})",
                                      R"({"input": [1, "a"]})", R"({"input": [-1]})", R"({"input": 7})", R"({"input": [1.5]})"}) {
    Reading reading;
    read(body, reading);
    ASSERT_TRUE(reading.error) << body;
    EXPECT_EQ(reading.param, "input");
  }
}

TEST(EmbedVectors, base64_is_the_floats_little_endian) {
  EXPECT_EQ(to_base64({1.0f}), "AACAPw==");
  EXPECT_EQ(to_base64({1.0f, -2.0f}), "AACAPwAAAMA=");
  EXPECT_EQ(to_base64({1.0f, -2.0f, 0.5f}), "AACAPwAAAMAAAAA/");
  EXPECT_EQ(to_base64({}), "");
}

TEST(EmbedVectors, numbers_have_the_digits_that_name_a_float) {
  EXPECT_EQ(json::print(to_json({0.1f, -1.0f, 3.4028235e38f})), "[0.1,-1.0,3.4028235e+38]");
}

}  // namespace
}  // namespace qn::api
