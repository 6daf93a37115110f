#include <gtest/gtest.h>

#include "api/native/shared/prompt_parts.h"

namespace qn::api::native {
namespace {

json::Value value_of(std::string_view text) {
  return *json::parse(text);
}

TEST(NativePrompt, a_list_is_one_prompt_if_a_number_is_in_it) {
  EXPECT_FALSE(is_list_of_prompts(value_of(R"("a")")));
  EXPECT_FALSE(is_list_of_prompts(value_of("[1, 2]")));
  EXPECT_FALSE(is_list_of_prompts(value_of(R"(["a", 1])")));
  EXPECT_TRUE(is_list_of_prompts(value_of(R"(["a", "b"])")));
  EXPECT_TRUE(is_list_of_prompts(value_of(R"(["a", [1, "b"], {"prompt_string": "c"}])")));
}

TEST(NativePrompt, ids_and_texts_keep_their_order) {
  Reading reading;
  const RawPrompt prompt = read_prompt(value_of(R"([7, "a", 8])"), "prompt", reading);
  ASSERT_FALSE(reading.error);
  using Parts = std::vector<std::variant<std::string, TokenId>>;
  EXPECT_EQ(std::get<serve::RawParts>(prompt).parts, (Parts{TokenId{7}, "a", TokenId{8}}));
}

TEST(NativePrompt, an_object_names_its_text) {
  Reading reading;
  const RawPrompt prompt = read_prompt(value_of(R"({"prompt_string": "a", "multimodal_data": []})"), "prompt", reading);
  ASSERT_FALSE(reading.error);
  EXPECT_EQ(std::get<serve::RawText>(prompt).text, "a");
}

TEST(NativePrompt, pictures_are_refused) {
  Reading reading;
  read_prompt(value_of(R"({"prompt_string": "a", "multimodal_data": ["aGk="]})"), "prompt", reading);
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(reading.param, "prompt.multimodal_data");
}

TEST(NativePrompt, other_things_are_refused_by_name) {
  for (const std::string_view odd : {"7", "[]", "[1.5]", "[-1]", "[[1]]", "{}", "true"}) {
    Reading reading;
    read_prompt(value_of(odd), "prompt[3]", reading);
    ASSERT_TRUE(reading.error) << odd;
    EXPECT_EQ(reading.param, "prompt[3]");
  }
}

}  // namespace
}  // namespace qn::api::native
