// What Hugging Face Transformers computes in float32, we compute: logits within 1e-4, greedy ids equal.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/ref/ref_backend.h"
#include "golden/golden_model.h"
#include "golden/run_model.h"

namespace qn::golden {
namespace {

class Transformers : public testing::TestWithParam<std::string> {};

TEST_P(Transformers, logits_agree_within_1e_4_and_64_greedy_ids_are_equal) {
  const GoldenModel golden = load_model(GetParam());
  const std::unique_ptr<Backend> ref = make_ref_backend();
  const auto description = model::describe(*golden.checkpoint);
  ASSERT_TRUE(description) << description.error().message;

  SequenceRun run(golden.checkpoint, model::place_on(*ref, description->sizes.layers));
  const std::vector<float> logits = run.feed(golden.expected.prompt, 1000);
  ASSERT_GE(golden.expected.logits.size(), 3u);
  for (const auto& [position, expected] : golden.expected.logits) {
    float largest = 0, worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::fabs(expected[i]));
      worst = std::max(worst, std::fabs(expected[i] - logits[static_cast<std::size_t>(position) * expected.size() + i]));
    }
    EXPECT_LE(worst, 1e-4f * largest) << "position " << position;
  }

  SequenceRun again(golden.checkpoint, model::place_on(*ref, description->sizes.layers));
  EXPECT_EQ(again.greedy(golden.expected.prompt, static_cast<int>(golden.expected.greedy.size()), 1000), golden.expected.greedy);
}

INSTANTIATE_TEST_SUITE_P(Models, Transformers, testing::ValuesIn(model_names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Stories, greedy_ids_of_a_trained_model_equal_those_of_transformers) {
  const std::filesystem::path path = std::filesystem::path(QN_SHARED_DATA) / "stories260K.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  auto opened = file::open_gguf(path);
  ASSERT_TRUE(opened) << opened.error().message;
  const auto checkpoint = std::make_shared<const file::Checkpoint>(*std::move(opened));
  const std::unique_ptr<Backend> ref = make_ref_backend();
  for (const auto& [text, expected] : load_stories()) {
    SequenceRun run(checkpoint, model::place_on(*ref, 5));
    EXPECT_EQ(run.greedy(expected.prompt, static_cast<int>(expected.greedy.size()), 1000), expected.greedy) << text;
  }
}

}  // namespace
}  // namespace qn::golden
