#include "file/quantize/plan.h"

#include <gtest/gtest.h>

namespace qn::file {
namespace {

const quant::Format* format(std::string_view name) {
  return quant::find_format(name);
}

Checkpoint small_model(std::string_view kind = "F16") {
  Checkpoint model;
  model.metadata.set("general.architecture", std::string("llama"));
  model.metadata.set("general.file_type", std::uint32_t{1});
  model.metadata.set("llama.block_count", std::uint32_t{4});
  model.metadata.set("llama.attention.head_count", std::uint32_t{4});
  model.metadata.set("llama.attention.head_count_kv", std::uint32_t{4});
  const auto add = [&](std::string name, std::vector<std::int64_t> shape) {
    model.tensors.push_back({std::move(name), shape.size() > 1 ? format(kind) : format("F32"), std::move(shape), {}});
  };
  add("token_embd.weight", {256, 8});
  add("output.weight", {256, 8});
  add("output_norm.weight", {256});
  for (int i = 0; i < 4; ++i) {
    add(fmt::format("blk.{}.attn_v.weight", i), {256, 8});
    add(fmt::format("blk.{}.ffn_down.weight", i), {256, 8});
    add(fmt::format("blk.{}.ffn_norm.weight", i), {256});
  }
  model.index();
  return model;
}

QuantizeOptions to(std::string_view mix) {
  return {.mix = *find_mix(mix)};
}

std::string_view type_of(const QuantizePlan& plan, std::string_view name) {
  for (const OutputFile& file : plan.files)
    for (const OutputTensor& tensor : file.tensors)
      if (tensor.name == name) return tensor.format->name;
  return "none";
}

TEST(QuantizePlan, explicit_types_win_over_patterns_and_patterns_over_the_mix) {
  QuantizeOptions options = to("Q4_K_M");
  options.output = format("Q8_0");
  options.token_embedding = format("F16");
  options.overrides = {{"blk\\.1\\.attn_v", format("Q5_1")}, {"attn_v", format("Q8_0")}, {"output|embd", format("Q4_0")}};
  const Checkpoint model = small_model();
  const auto plan = plan_quantize(model, options, "out.gguf");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(type_of(*plan, "output.weight"), "Q8_0");
  EXPECT_EQ(type_of(*plan, "token_embd.weight"), "F16");
  EXPECT_EQ(type_of(*plan, "blk.1.attn_v.weight"), "Q5_1");
  EXPECT_EQ(type_of(*plan, "blk.2.attn_v.weight"), "Q8_0");
  EXPECT_EQ(type_of(*plan, "blk.0.ffn_norm.weight"), "F32");
}

TEST(QuantizePlan, pure_means_one_type_and_the_output_may_be_left_alone) {
  QuantizeOptions options = to("Q4_K_M");
  options.pure = true;
  const Checkpoint model = small_model();
  for (const char* name : {"output.weight", "token_embd.weight", "blk.3.ffn_down.weight"})
    EXPECT_EQ(type_of(*plan_quantize(model, options, "o"), name), "Q4_K") << name;
  options.leave_output = true;
  EXPECT_EQ(type_of(*plan_quantize(model, options, "o"), "output.weight"), "F16");
}

TEST(QuantizePlan, a_pattern_that_is_no_regular_expression_is_refused) {
  QuantizeOptions options = to("Q4_0");
  options.overrides = {{"attn_(", format("Q8_0")}};
  const auto plan = plan_quantize(small_model(), options, "o");
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("'attn_('"), std::string::npos) << plan.error().message;
}

TEST(QuantizePlan, only_what_has_lost_nothing_is_quantized_unless_allowed) {
  for (const char* kind : {"F32", "F16", "BF16", "Q8_0"}) {
    const Checkpoint model = small_model(kind);
    EXPECT_TRUE(plan_quantize(model, to("Q4_0"), "o")) << kind;
  }
  const Checkpoint model = small_model("Q6_K");
  QuantizeOptions options = to("Q4_0");
  EXPECT_FALSE(plan_quantize(model, options, "o"));
  options.requantize = true;
  EXPECT_TRUE(plan_quantize(model, options, "o"));
  EXPECT_TRUE(plan_quantize(model, to("COPY"), "o"));
}

TEST(QuantizePlan, file_type_and_version_are_said_and_what_is_copied_keeps_its_own) {
  const Checkpoint model = small_model();
  QuantizeOptions options = to("IQ4_XS");
  options.metadata = {{"general.name", std::string("x")}};
  const auto plan = plan_quantize(model, options, "o");
  EXPECT_EQ(plan->files[0].metadata.integer("general.file_type").value(), 30);
  EXPECT_EQ(plan->files[0].metadata.integer("general.quantization_version").value(), 2);
  EXPECT_EQ(plan->files[0].metadata.text("general.name").value(), "x");
  const auto copy = plan_quantize(model, to("COPY"), "o");
  EXPECT_EQ(copy->files[0].metadata.integer("general.file_type").value(), 1);
  EXPECT_FALSE(copy->files[0].metadata.has("general.quantization_version"));
}

TEST(QuantizePlan, layers_may_be_left_out_and_the_rules_see_those_that_stay) {
  QuantizeOptions options = to("F16");
  options.pruned_layers = {0, 2};
  const Checkpoint model = small_model("F32");
  const auto plan = plan_quantize(model, options, "o");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->files[0].tensors.size(), 3u + 6);
  EXPECT_EQ(plan->files[0].metadata.integer("llama.block_count").value(), 2);
  EXPECT_EQ(type_of(*plan, "blk.1.attn_v.weight"), "F16");
  EXPECT_EQ(type_of(*plan, "blk.2.attn_v.weight"), "none");
  options.pruned_layers = {4};
  EXPECT_FALSE(plan_quantize(model, options, "o"));
}

TEST(QuantizePlan, importance_of_another_model_is_refused_and_missing_importance_is_listed) {
  const Checkpoint model = small_model();
  ImportanceMatrix matrix;
  matrix.entries["blk.0.attn_v.weight"] = {std::vector<float>(256, 2.0f), {1}};
  QuantizeOptions options = to("Q2_K_S");
  options.importance = &matrix;
  const auto plan = plan_quantize(model, options, "o");
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->files[0].tensors[3].importance.size(), 256u);
  EXPECT_EQ(plan->unmeasured.size(), 7u);  // not the output, not the embedding
  matrix.entries["blk.0.attn_v.weight"].sums.resize(128);
  EXPECT_FALSE(plan_quantize(model, options, "o"));
}

TEST(QuantizePlan, the_formats_that_llama_cpp_refuses_without_importance_are_listed) {
  const Checkpoint model = small_model();
  for (const char* mix : {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "Q2_K_S"}) {
    QuantizeOptions options = to(mix);
    options.pure = true;
    EXPECT_EQ(plan_quantize(model, options, "o")->unmeasured.size(), 8u) << mix;
  }
  for (const char* mix : {"Q2_K", "IQ3_S", "IQ4_XS", "TQ1_0", "Q4_0"})
    EXPECT_TRUE(plan_quantize(model, to(mix), "o")->unmeasured.empty()) << mix;
}

TEST(QuantizePlan, a_tensor_without_whole_blocks_gets_another_type_and_is_listed) {
  Checkpoint model = small_model();
  for (TensorEntry& tensor : model.tensors)
    if (tensor.shape.size() > 1) tensor.shape[0] = 96;
  const auto plan = plan_quantize(model, to("Q4_K_M"), "o");
  EXPECT_EQ(type_of(*plan, "blk.1.attn_v.weight"), "Q5_0");
  EXPECT_EQ(plan->fallbacks.size(), 9u);  // the output has a rule of its own
}

}  // namespace
}  // namespace qn::file
