#include "base/json.h"

#include <gtest/gtest.h>

namespace qn::json {
namespace {

std::string round_trip(std::string_view text) {
  const Result<Value> value = parse(text);
  return value ? print(*value) : value.error().message;
}

TEST(Json, numbers_keep_every_bit) {
  EXPECT_EQ(round_trip("[0.1,1e22,-0.0,123456789012345678,18446744073709551615,1.7976931348623157e308]"),
            "[0.1,1e+22,-0.0,123456789012345678,18446744073709551615,1.7976931348623157e+308]");
  EXPECT_EQ(parse("5e-324")->get_double(), 5e-324);
  EXPECT_EQ(parse("2.2250738585072011e-308")->get_double(), 2.2250738585072011e-308);
}

TEST(Json, a_number_past_the_range_of_double_is_refused) {
  EXPECT_FALSE(parse("1e400"));
}
TEST(Json, keys_keep_their_order) {
  EXPECT_EQ(round_trip(R"({"b":1,"a":2})"), R"({"b":1,"a":2})");
}

TEST(Json, a_duplicate_key_is_named) {
  const auto value = parse(R"({"a":1,"b":{"c":1,"c":2}})");
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().message.find("'c' appears twice"), std::string::npos) << value.error().message;
}

TEST(Json, nesting_is_bounded) {
  EXPECT_TRUE(parse(std::string(128, '[') + std::string(128, ']')));
  const auto deep = parse(std::string(129, '[') + std::string(129, ']'));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Code::bad_input);
}

TEST(Json, text_after_the_value_is_refused) {
  EXPECT_FALSE(parse("1 2"));
}
TEST(Json, an_unfinished_value_is_refused) {
  EXPECT_FALSE(parse("{\"a\":"));
}
TEST(Json, invalid_utf8_is_refused) {
  EXPECT_FALSE(parse("\"\xff\""));
}
TEST(Json, python_style_puts_spaces_after_separators) {
  EXPECT_EQ(print(*parse(R"({"a":[1,2.0],"b":"é\n"})"), Style::python), R"({"a": [1, 2.0], "b": "é\n"})");
}

}  // namespace
}  // namespace qn::json
