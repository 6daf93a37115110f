#include "api/fields.h"

#include <gtest/gtest.h>

namespace qn::api {
namespace {

json::Object object(std::string_view text) {
  auto parsed = json::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed->get_object();
}

TEST(Fields, a_field_is_read_with_its_type_and_range) {
  Reading reading;
  const json::Object body = object(R"({"b":true,"n":0.5,"i":3.0,"t":"x","list":["a","b"],"one":"c","null":null})");
  Fields fields(&body, "", reading);
  EXPECT_EQ(fields.boolean("b"), true);
  EXPECT_EQ(fields.number("n", 0, 1), 0.5);
  EXPECT_EQ(fields.integer("i", 0, 3), 3);
  EXPECT_EQ(fields.text("t"), "x");
  EXPECT_EQ(fields.texts("list", 2, 1), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fields.texts("one", 2, 1), std::vector<std::string>{"c"});
  EXPECT_EQ(fields.text("null"), std::nullopt);
  EXPECT_EQ(fields.text("absent"), std::nullopt);
  EXPECT_FALSE(reading.error);
  fields.warn_of_the_rest();
  EXPECT_TRUE(reading.warnings.empty());
}

TEST(Fields, the_first_mistake_is_told_with_the_path_of_its_field) {
  Reading reading;
  const json::Object body = object(R"({"n":"x","i":1.5})");
  Fields fields(&body, "messages[2]", reading);
  EXPECT_EQ(fields.number("n", 0, 1), std::nullopt);
  EXPECT_EQ(fields.integer("i", 0, 3), std::nullopt);
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(reading.param, "messages[2].n");
  EXPECT_EQ(reading.error->message, "messages[2].n: must be of type number");
}

TEST(Fields, numbers_out_of_range_and_lists_too_long_are_refused) {
  for (const char* text : {R"({"x":2})", R"({"x":-1})", R"({"x":1e300})", R"({"x":18446744073709551615})"}) {
    Reading reading;
    const json::Object body = object(text);
    EXPECT_EQ(Fields(&body, "", reading).integer("x", 0, 1), std::nullopt) << text;
    EXPECT_TRUE(reading.error) << text;
  }
  Reading reading;
  const json::Object body = object(R"({"x":["a","b","c"]})");
  EXPECT_EQ(Fields(&body, "", reading).texts("x", 2, 8), std::nullopt);
  EXPECT_EQ(reading.error->code, Code::too_large);
}

TEST(Fields, what_nobody_took_is_reported) {
  Reading reading;
  const json::Object body = object(R"({"known":1,"user":"u","unheard_of":{},"empty":null})");
  Fields fields(&body, "", reading);
  fields.integer("known", 0, 9);
  fields.ignore("user", "a label only");
  fields.warn_of_the_rest();
  ASSERT_EQ(reading.warnings.size(), 2u);
  EXPECT_EQ(reading.warnings[0].param, "user");
  EXPECT_EQ(reading.warnings[1].param, "unheard_of");
  EXPECT_EQ(reading.warnings[1].action, "ignored");
}

TEST(Fields, a_wrong_option_is_told_in_ollamas_words) {
  Reading reading;
  const json::Object body = object(R"({"top_k":"many"})");
  Fields(&body, "options", reading, Fields::Spelling::ollama_option).integer("top_k", 0, 9);
  EXPECT_EQ(reading.error->message, R"(option "top_k" must be of type integer)");
}

}  // namespace
}  // namespace qn::api
