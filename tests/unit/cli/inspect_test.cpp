#include <gtest/gtest.h>

#include "base/json.h"
#include "cli/inspect/facts.h"

namespace qn::cli {
namespace {

file::Checkpoint toy() {
  file::Checkpoint checkpoint;
  checkpoint.metadata.set("general.architecture", std::string("toy"));
  checkpoint.metadata.set("evil", std::string("a\x1b[31mb\nc"));
  checkpoint.metadata.set("ids", file::ArrayOf<std::int32_t>{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}});
  checkpoint.metadata.set("wide", file::ArrayOf<double>{{0.1, 1.0 / 0.0}});
  checkpoint.metadata.set("tokenizer.chat_template", std::string("{{ x }}\x1b"));
  static const std::byte data[64 + 68] = {};
  checkpoint.tensors.push_back({"a", quant::find_format("F32"), {8, 2}, std::span(data).first(64)});
  checkpoint.tensors.push_back({"b", quant::find_format("Q8_0"), {32, 2}, std::span(data).last(68)});
  checkpoint.file_bytes = 1'500;
  checkpoint.index();
  return checkpoint;
}

TEST(Inspect, long_arrays_are_clipped_and_say_by_how_much) {
  const file::Checkpoint model = toy();
  const std::string text = facts_as_text(*gather_facts(model, "toy.gguf"), model, TensorList::hidden);
  EXPECT_NE(text.find("[i32]   [1 2 3 4 5 6 7 8 ...+2 more]"), std::string::npos) << text;
}

TEST(Inspect, nothing_in_a_file_reaches_the_terminal_as_a_control_character) {
  const file::Checkpoint model = toy();
  const std::string text = facts_as_text(*gather_facts(model, "to\x1by.gguf"), model, TensorList::shown);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("'a\\x1b[31mb\\x0ac'"), std::string::npos) << text;
}

TEST(Inspect, an_architecture_that_does_not_run_here_is_shown_all_the_same) {
  const file::Checkpoint model = toy();
  const auto facts = gather_facts(model, "toy.gguf");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_FALSE(facts->sizes);
  EXPECT_NE(facts->why_not.find("'toy'"), std::string::npos) << facts->why_not;
  EXPECT_EQ(facts->parameters, 80u);
  EXPECT_EQ(facts->types[0].type, "Q8_0");  // the larger share first
}

TEST(Inspect, tensors_are_listed_only_when_asked_for) {
  const file::Checkpoint model = toy();
  const auto facts = gather_facts(model, "toy.gguf");
  EXPECT_EQ(facts_as_text(*facts, model, TensorList::hidden).find("[32 2]"), std::string::npos);
  EXPECT_NE(facts_as_text(*facts, model, TensorList::shown).find("[32 2]"), std::string::npos);
}

TEST(Inspect, json_has_its_keys_and_clips_nothing) {
  const file::Checkpoint model = toy();
  const auto parsed = json::parse(facts_as_json(*gather_facts(model, "toy.gguf"), model));
  ASSERT_TRUE(parsed) << parsed.error().message;
  std::vector<std::string> keys;
  for (const auto& member : parsed->as_object()) keys.emplace_back(member.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"file", "file_bytes", "parts", "architecture", "name", "parameters", "runs", "why_not", "types",
                                            "memory", "chat_template", "metadata", "metadata_types", "tensors"}));
  const json::Object& all = parsed->as_object();
  EXPECT_EQ(all.at("metadata").at("ids").as_array().size(), 10u);
  EXPECT_EQ(all.at("metadata").at("wide").as_array()[1].as_string(), "inf");
  EXPECT_EQ(all.at("metadata_types").at("wide").as_string(), "[f64]");
  EXPECT_EQ(all.at("tensors").as_array()[1].at("bytes").as_int64(), 68);
}

}  // namespace
}  // namespace qn::cli
