// The engine over a real, trained model: the output of a request depends on the request alone.
#include "engine/model_runner.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "backend/cpu/cpu_backend.h"
#include "engine/engine.h"

namespace qn::engine {
namespace {

struct Shape {  // of the engine, not of the request
  int max_batched_tokens;
  int max_sequences;
  int pages;
  int page_tokens;
};

struct Said {
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;  // of the reply, then of the prompt
  std::vector<float> embedding = {};
  bool operator==(const Said&) const = default;
};

class RealModel : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path path = QN_SHARED_DATA "/stories260K.gguf";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no " << path;
    auto checkpoint = file::open_gguf(path);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    device_ = make_cpu_backend({.threads = 2});
    auto shared = std::make_shared<const file::Checkpoint>(std::move(*checkpoint));
    const auto description = model::describe(*shared);
    ASSERT_TRUE(description) << description.error().message;
    auto model = model::Model::load(shared, model::place_on(*device_, description->sizes.layers));
    ASSERT_TRUE(model) << model.error().message;
    model_ = *model;
  }

  std::unique_ptr<Engine> engine(const Shape& shape) {
    const quant::Format* f16 = quant::find_format("F16");
    auto forward = model::Forward::make(model_, {.kv = {.keys = f16, .values = f16, .page_tokens = shape.page_tokens},
                                                 .pages = shape.pages,
                                                 .max_rows = shape.max_batched_tokens,
                                                 .max_logits = shape.max_sequences});
    EXPECT_TRUE(forward);
    return std::make_unique<Engine>(std::make_unique<ModelRunner>(std::move(*forward), 120), clock_);
  }

  // Everyone at once; what each of them said.
  std::vector<Said> say(Engine& engine, std::span<const Generation> generations) {
    std::vector<Said> said(generations.size());
    std::vector<std::promise<void>> done(generations.size());
    for (std::size_t i = 0; i < generations.size(); ++i) {
      Generation generation = generations[i];
      generation.sink = [&said, &done, i](const TokenEvent& event) {
        EXPECT_FALSE(event.error);
        said[i].tokens.push_back(event.token);
        said[i].logprobs.push_back(event.logprob);
        for (const Sampled& sampled : event.prompt) said[i].logprobs.push_back(sampled.logprob);
        if (!event.finish) return;
        said[i].embedding = event.embedding;
        done[i].set_value();
      };
      EXPECT_TRUE(engine.submit(std::move(generation)));
    }
    for (std::promise<void>& one : done) one.get_future().wait();
    return said;
  }

  SteadyClock clock_;
  std::unique_ptr<Backend> device_;
  std::shared_ptr<const model::Model> model_;
};

TEST_F(RealModel, the_same_tokens_and_log_probabilities_come_alone_in_a_crowd_in_chunks_and_after_preemption) {
  std::vector<Generation> generations;
  for (int i = 0; i < 12; ++i) {
    Generation generation{.max_tokens = 30, .top_logprobs = 0};
    for (int t = 0; t < 4 + 5 * i; ++t)
      generation.prompt.push_back(t == 0 ? 1 : 3 + (t * 17 + (t > 20 ? i : 0)) % 500);  // a shared beginning
    generation.sampling.temperature = i % 2 == 0 ? 0.0f : 0.9f;
    generation.sampling.seed = static_cast<std::uint64_t>(i);
    if (i % 4 == 3) generation.prompt_logprobs = 0;
    if (i % 6 == 5) generation = {.prompt = generation.prompt, .pooling = i == 5 ? Pooling::mean : Pooling::last};
    generations.push_back(generation);
  }
  std::vector<Said> alone;
  for (const Generation& generation : generations) {
    const auto fresh = engine({.max_batched_tokens = 512, .max_sequences = 1, .pages = 8, .page_tokens = 32});
    alone.push_back(say(*fresh, {&generation, 1})[0]);
  }
  for (const Shape& shape : {Shape{512, 16, 64, 32}, Shape{16, 16, 64, 32}, Shape{7, 3, 200, 5}, Shape{64, 12, 18, 8}}) {
    const auto crowded = engine(shape);
    EXPECT_EQ(say(*crowded, generations), alone) << shape.max_batched_tokens << " rows, " << shape.pages << " pages";
    EXPECT_EQ(say(*crowded, generations), alone) << "and again, with what is cached";
    for (Generation& generation : generations) generation.draft_tokens = 3;
    EXPECT_EQ(say(*crowded, generations), alone) << "and with guesses";
    for (Generation& generation : generations) generation.draft_tokens = 0;
    EXPECT_GT(crowded->stats().speculation.accepted_tokens, 0u);
    EXPECT_GT(crowded->stats().cached_tokens, 0u);
    EXPECT_EQ(crowded->stats().now.preemptions > 0, shape.pages == 18);
  }
}

}  // namespace
}  // namespace qn::engine
