#include <gtest/gtest.h>

#include <filesystem>

#include "cli/bench/random_model.h"
#include "cli/bench/report.h"
#include "model/cache.h"
#include "model/weights.h"
#include "unit/file/temporary_folder.h"

namespace qn::cli {
namespace {

Shape shape_of(std::string_view name) {
  const Result<Shape> shape = find_shape(name);
  EXPECT_TRUE(shape) << name;
  return *shape;
}

TEST(Shapes, parameter_counts_are_the_published_ones) {
  struct Published {
    const char* name;
    std::uint64_t parameters;
  };
  // Of the models' pages; where the embedding serves as the output matrix, it counts once.
  constexpr Published published[] = {
      {"qwen2.5-0.5b", 494'032'768},   {"qwen2.5-1.5b", 1'543'714'304},   {"qwen2.5-3b", 3'085'938'688},   {"qwen2.5-7b", 7'615'616'512},
      {"qwen2.5-14b", 14'770'033'664}, {"qwen2.5-32b", 32'763'876'352},   {"qwen2.5-72b", 72'706'203'648}, {"qwq-32b", 32'763'876'352},
      {"qwen3-0.6b", 596'049'920},     {"qwen3-1.7b", 1'720'574'976},     {"qwen3-4b", 4'022'468'096},     {"qwen3-8b", 8'190'735'360},
      {"qwen3-14b", 14'768'307'200},   {"qwen3-32b", 32'762'123'264},     {"llama-3.2-1b", 1'235'814'400}, {"llama-3.2-3b", 3'212'749'824},
      {"llama-3.1-8b", 8'030'261'248}, {"llama-3.3-70b", 70'553'706'496},
  };
  for (const Published& one : published) EXPECT_EQ(parameters_of(shape_of(one.name)), one.parameters) << one.name;
}

TEST(Shapes, an_unknown_one_names_the_nearest) {
  const Result<Shape> shape = find_shape("qwen2.5-1.5");
  ASSERT_FALSE(shape);
  EXPECT_NE(shape.error().message.find("did you mean qwen2.5-1.5b?"), std::string::npos) << shape.error().message;
}

TEST(Mixes, the_bytes_of_a_token_are_those_of_published_files) {
  struct Published {
    const char *shape, *quant;
    double megabytes;
  };
  for (const Published& one : {Published{"qwen2.5-1.5b", "Q4_K_M", 980}, {"qwen2.5-1.5b", "Q8_0", 1641}, {"qwen2.5-1.5b", "Q6_K", 1267}}) {
    const RandomModel model = plan_random_model(shape_of(one.shape), *find_types(one.quant), nullptr);
    EXPECT_NEAR(static_cast<double>(model.bytes) / 1e6, one.megabytes, 1) << one.shape << " " << one.quant;
  }
}

TEST(Mixes, rows_that_are_no_whole_number_of_blocks_take_a_smaller_block) {
  const Shape shape = shape_of("qwen2.5-0.5b");  // rows of 896 weights
  for (const char* quant : {"Q4_K_M", "Q6_K", "Q2_K", "IQ2_XXS", "TQ1_0"})
    for (const file::TensorInfo& tensor : plan_random_model(shape, *find_types(quant), nullptr).tensors)
      EXPECT_EQ(tensor.shape[0] % tensor.format->block_weights, 0) << quant << " " << tensor.name;
}

TEST(RandomModels, a_written_file_opens_and_has_every_tensor_of_its_architecture) {
  const file::TemporaryFolder folder;
  for (const char* name : {"qwen2-tiny", "qwen3-0.6b", "llama-3.2-1b"}) {
    Shape shape = shape_of(name);
    shape.layers = 2;
    shape.vocab = 1024;
    const std::filesystem::path path = folder.path() / (std::string(name) + ".gguf");
    const RandomModel model = plan_random_model(shape, *find_types("Q4_K_M"), nullptr);
    std::uint64_t told = 0;
    ASSERT_TRUE(write_random_model(model, path, [&](std::uint64_t bytes) { return told = bytes, true; }));
    EXPECT_GT(told, model.bytes * 9 / 10);
    const auto checkpoint = file::open_gguf(path);
    ASSERT_TRUE(checkpoint) << checkpoint.error().message;
    const auto described = model::describe(*checkpoint);
    ASSERT_TRUE(described) << described.error().message;
    EXPECT_TRUE(model::bind_tensors(*described->architecture, described->sizes, *checkpoint));
    EXPECT_EQ(model_work(*checkpoint, described->sizes, 0).parameters, parameters_of(shape));
  }
}

TEST(RandomModels, a_writing_that_is_stopped_leaves_nothing) {
  const file::TemporaryFolder folder;
  const RandomModel model = plan_random_model(shape_of("qwen2-tiny"), *find_types("Q8_0"), nullptr);
  const Status done = write_random_model(model, folder.path() / "model.gguf", [](std::uint64_t) { return false; });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::cancelled);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(RandomModels, a_disk_that_is_too_small_is_said_with_both_numbers_before_anything_is_written) {
  const file::TemporaryFolder folder;
  Shape shape = shape_of("qwen2.5-72b");
  shape.layers = 1024;
  RandomModel model = plan_random_model(shape, *find_types("F32"), nullptr);
  model.bytes = std::uint64_t{1} << 60;
  const Status done = write_random_model(model, folder.path() / "model.gguf", [](std::uint64_t) { return true; });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("the model takes 1073741824.00 GiB"), std::string::npos) << done.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// One layer's worth of numbers that can be checked by hand.
ModelWork small_work() {
  ModelWork model{.layer_bytes = 1000, .head_bytes = 100, .attention_operations = 40, .kv_bytes_per_token = 10};
  model.layer_operations[0] = 2000;
  model.head_operations[0] = 200;
  return model;
}

TEST(BenchWork, decoding_reads_weights_once_a_step_and_keys_once_a_sequence) {
  const Work work = decode_work(small_work(), 100, 3, 4);  // tokens that see 101, 102 and 103 keys
  EXPECT_EQ(work.tokens, 12);
  EXPECT_EQ(work.bytes, 3 * 1100 + 4 * (101 + 102 + 103) * 10);
  EXPECT_EQ(work.attention_operations, 40 * 4 * (101 + 102 + 103));
  EXPECT_EQ(work.operations[0], 12 * 2200 + work.attention_operations);
}

TEST(BenchWork, a_prompt_reads_the_layers_once_a_step_and_the_output_matrix_once) {
  const Work work = prompt_work(small_work(), 100, 10, 4);  // steps of 4, 4 and 2 tokens
  EXPECT_EQ(work.bytes, 3 * 1000 + 100 + 10 * (104 + 108 + 110));
  double keys = 0;
  for (int token = 0; token < 10; ++token) keys += 101 + token;
  EXPECT_EQ(work.attention_operations, 40 * keys);
  EXPECT_EQ(work.operations[0], 10 * 2000 + 200 + work.attention_operations);
}

TEST(BenchWork, the_bound_is_the_limit_that_is_met_first) {
  Limits limits{.read_bytes_per_s = 1000};
  limits.operations_per_s[2] = 4000;  // f32 alone: int8 can be no slower
  Work work{.tokens = 1, .bytes = 3000};
  work.operations[0] = 8000;
  EXPECT_EQ(bound(work, limits).seconds, 3);
  EXPECT_EQ(bound(work, limits).what, "memory");
  work.operations[0] = 16000;
  EXPECT_EQ(bound(work, limits).seconds, 4);
  EXPECT_EQ(bound(work, limits).what, "int8");
  limits.operations_per_s[0] = 16000;
  EXPECT_EQ(bound(work, limits).what, "memory");
}

TEST(BenchWork, an_embedding_table_counts_only_where_it_is_the_output_matrix_too) {
  for (const char* name : {"qwen2.5-1.5b", "qwen2.5-7b"}) {
    const Shape shape = shape_of(name);
    file::Checkpoint checkpoint;
    checkpoint.metadata = metadata_of(shape);
    static const std::byte none[1] = {};
    for (const file::TensorInfo& tensor : plan_random_model(shape, *find_types("Q8_0"), nullptr).tensors) {
      // Sizes are all that is looked at.
      const std::int64_t rows = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
      checkpoint.tensors.push_back(
          {tensor.name, tensor.format, tensor.shape, {none, tensor.format->row_bytes(tensor.shape[0]) * static_cast<std::size_t>(rows)}});
    }
    checkpoint.index();
    const ModelWork work = model_work(checkpoint, sizes_of(shape), 28672);
    // Published figures: 1,641 and 7,514 MB read for a token.
    EXPECT_NEAR((work.layer_bytes + work.head_bytes) / 1e6, shape.output == Head::tied ? 1641 : 7514, 2) << name;
  }
}

TEST(BenchReport, the_median_of_an_even_number_lies_between_two) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(BenchReport, names_of_tests_are_those_of_llama_bench) {
  EXPECT_EQ(name(cli::Test{.prompt_tokens = 512}), "pp512");
  EXPECT_EQ(name(cli::Test{.decode_tokens = 128, .depth = 4096}), "tg128 @ d4096");
  EXPECT_EQ(name(cli::Test{.decode_tokens = 32, .sequences = 8}), "tg32 x 8");
}

}  // namespace
}  // namespace qn::cli
