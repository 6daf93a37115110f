#include "serve/load_plan.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "backend/cpu/cpu_backend.h"
#include "engine/engine.h"

namespace qn::serve {
namespace {

const std::filesystem::path mini = std::filesystem::path(QN_REPOSITORY) / "models/quern-mini.gguf";
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

class LoadPlanTest : public testing::Test {
 protected:
  OpenedModel opened = *open_model(mini, {});
  std::uint64_t per_token = plan_load(opened, {}, 64 * gib)->memory.kv_bytes_per_token;

  static std::int64_t tokens(const LoadPlan& plan) { return std::int64_t{plan.forward.pages} * plan.forward.kv.page_tokens; }
};

TEST_F(LoadPlanTest, a_chat_has_one_window_of_pages_and_a_server_one_for_each_sequence) {
  const auto chat = plan_load(opened, {.context_tokens = 1024}, 64 * gib);
  const auto server = plan_load(opened, {.context_tokens = 1024, .max_sequences = 16, .page_tokens = 16}, 64 * gib);
  ASSERT_TRUE(chat && server);
  EXPECT_EQ(tokens(*chat), 1024);
  EXPECT_EQ(tokens(*server), 16 * 1024);
  EXPECT_EQ(server->forward.kv.page_tokens, 16);
  EXPECT_EQ(server->forward.max_logits, 16);
}

TEST_F(LoadPlanTest, pages_take_no_more_than_half_of_what_the_weights_leave_or_what_was_said) {
  const LoadOptions many = {.context_tokens = 1024, .max_sequences = 4096};
  const auto half = plan_load(opened, many, gib);
  ASSERT_TRUE(half);
  EXPECT_LE(half->memory.kv_bytes, gib / 2);
  EXPECT_GT(half->memory.kv_bytes, gib / 4);
  LoadOptions said = many;
  said.kv_bytes = 5000 * per_token;
  const auto plan = plan_load(opened, said, gib);
  ASSERT_TRUE(plan);
  EXPECT_EQ(tokens(*plan), 5024);  // whole pages
}

TEST_F(LoadPlanTest, one_window_is_the_least_even_where_less_was_said) {
  const auto plan = plan_load(opened, {.context_tokens = 2048, .max_sequences = 4, .kv_bytes = 1}, gib);
  ASSERT_TRUE(plan);
  EXPECT_EQ(tokens(*plan), 2048);
}

TEST_F(LoadPlanTest, a_server_is_told_in_vllms_words_which_window_would_fit) {
  const LoadOptions options = {.context_tokens = 1'000'000, .max_sequences = 4, .audience = Audience::server};
  const auto plan = plan_load(opened, options, gib);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::out_of_memory);
  const std::string& text = plan.error().message;
  EXPECT_TRUE(text.starts_with("To serve at least one request with the models's max seq len (1000000), (")) << text;
  const std::size_t remedy = text.find("--max-model-len ");
  ASSERT_NE(remedy, std::string::npos) << text;
  LoadOptions advised = options;
  advised.context_tokens = std::stoi(text.substr(remedy + 16));
  EXPECT_TRUE(plan_load(opened, advised, gib)) << "what the message says must be true";
  const auto none = plan_load(opened, options, 1000);
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().message.starts_with("No available memory for the cache blocks.")) << none.error().message;
}

TEST_F(LoadPlanTest, a_window_beyond_training_is_refused_where_that_was_asked_for) {
  const int own = opened.description.sizes.context;
  EXPECT_TRUE(plan_load(opened, {.context_tokens = own + 1}, 64 * gib));
  EXPECT_TRUE(plan_load(opened, {.context_tokens = own, .beyond_training = BeyondTraining::refused}, 64 * gib));
  const auto refused = plan_load(opened, {.context_tokens = own + 1, .beyond_training = BeyondTraining::refused}, 64 * gib);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with("User-specified max_model_len (")) << refused.error().message;
}

TEST_F(LoadPlanTest, sizes_out_of_range_are_refused) {
  for (const LoadOptions& options :
       {LoadOptions{.context_tokens = 0}, LoadOptions{.max_sequences = 0}, LoadOptions{.max_sequences = 5000},
        LoadOptions{.max_batched_tokens = 0}, LoadOptions{.page_tokens = 0}, LoadOptions{.context_tokens = -1}})
    EXPECT_EQ(plan_load(opened, options, 64 * gib).error().code, Code::bad_input);
}

std::uint64_t own_bytes() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8)) * 1024;
  return 0;
}

TEST_F(LoadPlanTest, a_long_context_costs_nothing_until_it_is_used) {
  const auto device = make_cpu_backend({.threads = 1});
  const std::uint64_t before = own_bytes();
  const auto model = load_model(mini, {.context_tokens = 32768, .max_sequences = 64, .kv_bytes = gib}, *device);
  if (!model && model.error().code == Code::out_of_memory) GTEST_SKIP() << model.error().message;
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_GT((*model)->plan.kv_bytes, gib / 2);
  EXPECT_LT(own_bytes() - before, std::uint64_t{64} << 20);
  EXPECT_NE(cache_report(**model).find(" tokens\nMaximum concurrency for 32,768 tokens per request: "), std::string::npos)
      << cache_report(**model);
}

}  // namespace
}  // namespace qn::serve
