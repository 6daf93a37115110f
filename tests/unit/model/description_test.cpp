// What a damaged or foreign file says, and what we answer: the key or tensor, the finding, the remedy.
#include <gtest/gtest.h>

#include <functional>

#include "model/model.h"
#include "model/plan.h"
#include "model/weights.h"

namespace qn::model {
namespace {

file::Metadata tiny_metadata(const std::function<void(std::vector<std::pair<std::string, file::MetaValue>>&)>& change = [](auto&) {}) {
  std::vector<std::pair<std::string, file::MetaValue>> entries = {
      {"general.architecture", std::string("qwen3")},      {"qwen3.block_count", std::uint32_t{1}},
      {"qwen3.context_length", std::uint32_t{128}},        {"qwen3.embedding_length", std::uint32_t{32}},
      {"qwen3.feed_forward_length", std::uint32_t{64}},    {"qwen3.attention.head_count", std::uint32_t{4}},
      {"qwen3.attention.head_count_kv", std::uint32_t{2}}, {"qwen3.attention.key_length", std::uint32_t{16}},
      {"qwen3.attention.layer_norm_rms_epsilon", 1e-6f},
  };
  change(entries);
  file::Metadata metadata;
  for (auto& [key, value] : entries) metadata.set(key, value);
  return metadata;
}

auto set(std::string key, file::MetaValue value) {
  return [=](auto& entries) {
    std::erase_if(entries, [&](const auto& e) { return e.first == key; });
    entries.emplace_back(key, value);
  };
}

auto drop(std::string key) {
  return [=](auto& entries) { std::erase_if(entries, [&](const auto& e) { return e.first == key; }); };
}

struct Tiny {
  std::vector<float> zeros = std::vector<float>(4096, 1.0f);
  file::Checkpoint checkpoint;

  explicit Tiny(file::Metadata metadata = tiny_metadata()) {
    checkpoint.metadata = std::move(metadata);
    for (auto [name, columns, rows] : std::initializer_list<std::tuple<const char*, int, int>>{{"token_embd.weight", 32, 10},
                                                                                               {"output_norm.weight", 32, 1},
                                                                                               {"blk.0.attn_norm.weight", 32, 1},
                                                                                               {"blk.0.attn_q.weight", 32, 64},
                                                                                               {"blk.0.attn_k.weight", 32, 32},
                                                                                               {"blk.0.attn_v.weight", 32, 32},
                                                                                               {"blk.0.attn_output.weight", 64, 32},
                                                                                               {"blk.0.attn_q_norm.weight", 16, 1},
                                                                                               {"blk.0.attn_k_norm.weight", 16, 1},
                                                                                               {"blk.0.ffn_norm.weight", 32, 1},
                                                                                               {"blk.0.ffn_gate.weight", 32, 64},
                                                                                               {"blk.0.ffn_up.weight", 32, 64},
                                                                                               {"blk.0.ffn_down.weight", 64, 32}})
      add(name, columns, rows);
  }
  void add(const char* name, int columns, int rows) {
    const auto count = static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows);
    checkpoint.tensors.push_back({name, quant::find_format("F32"), {columns, rows}, std::as_bytes(std::span(zeros).first(count))});
    checkpoint.index();
  }
  Status bind() const {
    QN_TRY(const Description d, describe(checkpoint));
    QN_OK(bind_tensors(*d.architecture, d.sizes, checkpoint));
    return {};
  }
};

TEST(Description, a_whole_model_binds) {
  const Status bound = Tiny().bind();
  EXPECT_TRUE(bound) << bound.error().message;
}

struct BadMetadata {
  const char* name;
  std::function<void(std::vector<std::pair<std::string, file::MetaValue>>&)> change;
  const char* says;
};

class BadDescription : public testing::TestWithParam<BadMetadata> {};

TEST_P(BadDescription, is_refused_by_name) {
  const Status bound = Tiny(tiny_metadata(GetParam().change)).bind();
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find(GetParam().says), std::string::npos) << bound.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Metadata, BadDescription,
    testing::Values(
        BadMetadata{"no_architecture", drop("general.architecture"), "general.architecture: missing"},
        BadMetadata{"foreign_architecture", set("general.architecture", std::string("mamba")),
                    "'mamba' is not supported; quern runs llama, qwen2, qwen3"},
        BadMetadata{"no_layers", set("qwen3.block_count", std::uint32_t{0}), "qwen3.block_count: 0 found"},
        BadMetadata{"huge_layers", set("qwen3.block_count", std::uint32_t{4'000'000'000}), "qwen3.block_count: 4000000000 found"},
        BadMetadata{"no_width", drop("qwen3.embedding_length"), "qwen3.embedding_length: missing"},
        BadMetadata{"text_for_a_number", set("qwen3.embedding_length", std::string("32")), "qwen3.embedding_length"},
        BadMetadata{"zero_heads", set("qwen3.attention.head_count", std::uint32_t{0}), "head_count: 0 found"},
        BadMetadata{"odd_sharing", set("qwen3.attention.head_count_kv", std::uint32_t{3}), "4 query heads cannot share 3 key heads"},
        BadMetadata{"no_eps", drop("qwen3.attention.layer_norm_rms_epsilon"), "layer_norm_rms_epsilon: missing"},
        BadMetadata{"negative_eps", set("qwen3.attention.layer_norm_rms_epsilon", -1.0f), "layer_norm_rms_epsilon: -1 found"},
        BadMetadata{"odd_rotation", set("qwen3.rope.dimension_count", std::uint32_t{15}), "15 is odd"},
        BadMetadata{"wide_rotation", set("qwen3.rope.dimension_count", std::uint32_t{18}), "rope.dimension_count: 18 found"},
        BadMetadata{"unknown_scaling", set("qwen3.rope.scaling.type", std::string("longrope")), "'longrope' found; none, linear and yarn"},
        BadMetadata{"unequal_values", set("qwen3.attention.value_length", std::uint32_t{8}), "value_length: 8 differs"},
        BadMetadata{"other_width", set("qwen3.feed_forward_length", std::uint32_t{65}),
                    "tensor blk.0.ffn_gate.weight: shape 32 x 64 found, 32 x 65 needed"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Description, a_missing_tensor_is_named) {
  Tiny tiny;
  std::erase_if(tiny.checkpoint.tensors, [](const auto& t) { return t.name == "blk.0.ffn_up.weight"; });
  tiny.checkpoint.index();
  const Status bound = tiny.bind();
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find("blk.0.ffn_up.weight: missing"), std::string::npos);
}

// Ignoring it would compute another model than the file holds.
TEST(Description, a_tensor_that_the_architecture_does_not_have_is_refused) {
  Tiny tiny;
  tiny.add("blk.0.ffn_gate_exps.weight", 32, 64);
  const Status bound = tiny.bind();
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().message.find("ffn_gate_exps"), std::string::npos);
}

TEST(MemoryPlan, counts_weights_cache_and_buffers) {
  const Tiny tiny;
  const auto description = describe(tiny.checkpoint);
  const ForwardOptions options{.kv = {.keys = quant::find_format("F16"), .values = quant::find_format("F16"), .page_tokens = 16},
                               .pages = 8};
  const auto plan = plan_memory(tiny.checkpoint, *description, options);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kv_bytes_per_token, 2u * 2 * 16 * 2);  // K and V, 2 heads of 16, f16, one layer
  EXPECT_EQ(plan->kv_bytes, plan->kv_bytes_per_token * 128);
  EXPECT_GT(plan->working_bytes, 0u);
}

TEST(MemoryPlan, too_little_memory_is_refused_with_the_context_that_would_fit) {
  const MemoryPlan plan{.weight_bytes = 1 << 20, .kv_bytes_per_token = 1024, .kv_bytes = 64 << 20, .working_bytes = 1 << 20};
  EXPECT_TRUE(check_fits(plan, 66 << 20));
  const Status refused = check_fits(plan, 34 << 20);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::out_of_memory);
  EXPECT_NE(refused.error().message.find("--ctx 32768"), std::string::npos) << refused.error().message;
}

TEST(KvCache, a_format_whose_blocks_do_not_divide_a_head_is_refused) {
  const Tiny tiny;
  const auto description = describe(tiny.checkpoint);
  const auto bytes = kv_bytes_per_token(description->sizes, {.keys = quant::find_format("Q8_0"), .values = quant::find_format("F16")});
  ASSERT_FALSE(bytes);
  EXPECT_NE(bytes.error().message.find("blocks of 32 do not divide heads of 16"), std::string::npos) << bytes.error().message;
}

}  // namespace
}  // namespace qn::model
