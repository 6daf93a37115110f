// quern-mini as it ships: text to ids to answers, as the tokenizer that trained it and Transformers on its dequantized weights have them.
// The golden (tools/mini/make_goldens.py) keeps only answers whose every id leads by a margin that 8-bit activations cannot eat.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "backend/cpu/cpu_backend.h"
#include "base/json.h"
#include "golden/run_model.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::golden {
namespace {

struct MiniCase {
  std::string prompt, answer;
  std::vector<TokenId> ids, new_ids;
};

std::vector<MiniCase> read_cases() {
  std::ifstream in(QN_REPOSITORY "/tests/golden/mini/greedy.json");
  std::stringstream text;
  text << in.rdbuf();
  const auto golden = json::parse(text.str());
  std::vector<MiniCase> cases;
  if (!golden) return cases;
  const auto ids = [](const json::Value& list) {
    std::vector<TokenId> out;
    for (const json::Value& id : list.as_array()) out.push_back(static_cast<TokenId>(id.as_int64()));
    return out;
  };
  for (const json::Value& entry : golden->as_object().at("cases").as_array()) {
    const json::Object& c = entry.as_object();
    cases.push_back(
        {std::string(c.at("prompt").as_string()), std::string(c.at("answer").as_string()), ids(c.at("ids")), ids(c.at("new_ids"))});
  }
  return cases;
}

TEST(QuernMini, ids_and_greedy_answers_equal_those_of_its_makers) {
  const std::vector<MiniCase> cases = read_cases();
  ASSERT_GE(cases.size(), 8u);
  auto opened = file::open_gguf(QN_REPOSITORY "/models/quern-mini.gguf");
  ASSERT_TRUE(opened) << opened.error().message;
  const auto checkpoint = std::make_shared<const file::Checkpoint>(*std::move(opened));
  auto vocab = file::read_vocab(checkpoint->metadata);
  ASSERT_TRUE(vocab) << vocab.error().message;
  const auto tokenizer = text::Tokenizer::make(*std::move(vocab));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto description = model::describe(*checkpoint);
  ASSERT_TRUE(description) << description.error().message;
  const auto cpu = make_cpu_backend({.threads = 1});

  for (const MiniCase& c : cases) {
    EXPECT_EQ(tokenizer->encode(c.prompt, {.specials = text::Specials::parse}), c.ids) << c.prompt;
    SequenceRun run(checkpoint, model::place_on(*cpu, description->sizes.layers), {.keys = "F16", .values = "F16", .tokens = 2048});
    const std::vector<TokenId> got = run.greedy(c.ids, static_cast<int>(c.new_ids.size()), 512);
    EXPECT_EQ(got, c.new_ids) << c.prompt << tokenizer->decode(got, true) << "\nexpected " << c.answer;
  }
}

}  // namespace
}  // namespace qn::golden
