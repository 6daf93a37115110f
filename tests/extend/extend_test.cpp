// "One file" stays true: a toy architecture and a toy format are added the way docs/ADDING.md says,
// and everything else finds them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "backend/cpu/cpu_backend.h"
#include "backend/ref/ref_backend.h"
#include "base/random.h"
#include "model/forward.h"
#include "model/weights.h"

namespace qn {
namespace {

constexpr int width = 64, vocab = 40;

struct ToyModel {
  std::shared_ptr<file::Checkpoint> checkpoint = std::make_shared<file::Checkpoint>();
  std::vector<std::vector<std::byte>> storage;

  void floats(const char* name, std::int64_t columns, std::int64_t rows, float centre, float spread) {
    std::vector<float> values(static_cast<std::size_t>(columns * rows));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = centre + (uniform(5, i, static_cast<std::uint32_t>(storage.size())) - 0.5f) * spread;
    storage.emplace_back(values.size() * sizeof(float));
    std::memcpy(storage.back().data(), values.data(), storage.back().size());
    checkpoint->tensors.push_back({name, quant::find_format("F32"), {columns, rows}, storage.back()});
  }
  void toy8(const char* name, std::int64_t columns, std::int64_t rows) {
    storage.emplace_back(static_cast<std::size_t>(columns * rows / 32 * 33));
    for (std::size_t i = 0; i < storage.back().size(); ++i)
      storage.back()[i] = i % 33 == 0 ? std::byte(-10 + static_cast<int>(i / 33 % 3)) : std::byte(philox(9, i)[0]);
    checkpoint->tensors.push_back({name, quant::find_format("TOY8"), {columns, rows}, storage.back()});
  }

  ToyModel() {
    file::Metadata& m = checkpoint->metadata;
    m.set("general.architecture", std::string("toy"));
    m.set("toy.block_count", std::uint32_t{1});
    m.set("toy.context_length", std::uint32_t{64});
    m.set("toy.embedding_length", std::uint32_t{width});
    m.set("toy.feed_forward_length", std::uint32_t{width});
    m.set("toy.attention.head_count", std::uint32_t{2});
    m.set("toy.attention.layer_norm_rms_epsilon", 1e-5f);
    floats("token_embd.weight", width, vocab, 0, 2);
    floats("output_norm.weight", width, 1, 1, 0.1f);
    floats("blk.0.attn_norm.weight", width, 1, 1, 0.1f);
    for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.0.attn_output.weight"})
      toy8(name, width, width);
    floats("blk.0.toy_norm.weight", width, 1, 1, 0.1f);
    toy8("blk.0.toy_mix.weight", width, width);
    checkpoint->index();
  }

  std::vector<float> logits(Backend& device) const {
    auto model = model::Model::load(checkpoint, model::place_on(device, 1));
    if (!model) throw std::runtime_error(model.error().message);
    const quant::Format* f32 = quant::find_format("F32");
    auto forward =
        model::Forward::make(*model, {.kv = {.keys = f32, .values = f32, .page_tokens = 16}, .pages = 1, .max_rows = 8, .max_logits = 8});
    const PageId page[] = {{0}};
    sched::Step step{{{.id = {1}, .first_position = 0, .tokens = {3, 1, 4, 1, 5}, .pages = page, .reads = 1}}};
    const auto out = (*forward)->run(step, model::LogitsOf::all);
    return {out->begin(), out->end()};
  }
};

TEST(Extend, an_architecture_is_one_file) {
  const auto known = model::find_architecture("toy");
  ASSERT_TRUE(known) << known.error().message;
  EXPECT_EQ((*known)->name, "toy");
  EXPECT_EQ(model::architectures().size(), 4u);
}

TEST(Extend, a_format_is_one_file_and_one_line) {
  const quant::Format* format = quant::find_format(1000u);
  ASSERT_NE(format, nullptr);
  EXPECT_EQ(format, quant::find_format("toy8"));
  const std::byte block[33] = {std::byte(1), std::byte(3), std::byte(0xFF)};
  float out[32];
  format->dequantize(block, out, 1);
  EXPECT_EQ(out[0], 6);
  EXPECT_EQ(out[1], -2);
}

TEST(Extend, the_toys_run_together_with_equal_bits_on_every_backend) {
  const ToyModel toy;
  const std::vector<float> expected = toy.logits(*make_ref_backend());
  ASSERT_EQ(expected.size(), 5u * vocab);
  EXPECT_TRUE(std::isfinite(expected[0]));
  EXPECT_NE(expected[0], expected[vocab]);
  for (const Isa isa : usable_isas()) {
    const std::vector<float> got = toy.logits(*make_cpu_backend({.threads = 2, .isa = isa}));
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), expected.size() * sizeof(float)), 0) << name(isa);
  }
}

}  // namespace
}  // namespace qn
