#include "cli/bench/shapes.h"

#include "cli/nearest.h"

namespace qn::cli {
namespace {

// clang-format off
//  name            architecture  L   D     F      H   K   head V       output      context  theta  eps
constexpr Shape table[] = {
    {"qwen2.5-0.5b", "qwen2",     24, 896,  4864,  14, 2,  64,  151936, Head::tied, 32768,  1e6F, 1e-6F},
    {"qwen2.5-1.5b", "qwen2",     28, 1536, 8960,  12, 2,  128, 151936, Head::tied, 32768,  1e6F, 1e-6F},
    {"qwen2.5-3b",   "qwen2",     36, 2048, 11008, 16, 2,  128, 151936, Head::tied, 32768,  1e6F, 1e-6F},
    {"qwen2.5-7b",   "qwen2",     28, 3584, 18944, 28, 4,  128, 152064, Head::own,  32768,  1e6F, 1e-6F},
    {"qwen2.5-14b",  "qwen2",     48, 5120, 13824, 40, 8,  128, 152064, Head::own,  32768,  1e6F, 1e-6F},
    {"qwen2.5-32b",  "qwen2",     64, 5120, 27648, 40, 8,  128, 152064, Head::own,  32768,  1e6F, 1e-6F},
    {"qwen2.5-72b",  "qwen2",     80, 8192, 29568, 64, 8,  128, 152064, Head::own,  32768,  1e6F, 1e-6F},
    {"qwq-32b",      "qwen2",     64, 5120, 27648, 40, 8,  128, 152064, Head::own,  131072, 1e6F, 1e-5F},
    {"qwen3-0.6b",   "qwen3",     28, 1024, 3072,  16, 8,  128, 151936, Head::tied, 40960,  1e6F, 1e-6F},
    {"qwen3-1.7b",   "qwen3",     28, 2048, 6144,  16, 8,  128, 151936, Head::tied, 40960,  1e6F, 1e-6F},
    {"qwen3-4b",     "qwen3",     36, 2560, 9728,  32, 8,  128, 151936, Head::tied, 40960,  1e6F, 1e-6F},
    {"qwen3-8b",     "qwen3",     36, 4096, 12288, 32, 8,  128, 151936, Head::own,  40960,  1e6F, 1e-6F},
    {"qwen3-14b",    "qwen3",     40, 5120, 17408, 40, 8,  128, 151936, Head::own,  40960,  1e6F, 1e-6F},
    {"qwen3-32b",    "qwen3",     64, 5120, 25600, 64, 8,  128, 151936, Head::own,  40960,  1e6F, 1e-6F},
    {"llama-3.2-1b", "llama",     16, 2048, 8192,  32, 8,  64,  128256, Head::tied, 131072, 5e5F, 1e-5F},
    {"llama-3.2-3b", "llama",     28, 3072, 8192,  24, 8,  128, 128256, Head::tied, 131072, 5e5F, 1e-5F},
    {"llama-3.1-8b", "llama",     32, 4096, 14336, 32, 8,  128, 128256, Head::own,  131072, 5e5F, 1e-5F},
    {"llama-3.3-70b", "llama",    80, 8192, 28672, 64, 8,  128, 128256, Head::own,  131072, 5e5F, 1e-5F},
    // For trying the program itself: a second to make, and nothing to learn about a machine.
    {"qwen2-tiny",   "qwen2",     2,  256,  512,   4,  2,  64,  1024,   Head::tied, 8192,   1e6F, 1e-6F},
};
// clang-format on

}  // namespace

std::span<const Shape> shapes() {
  return table;
}

Result<Shape> find_shape(std::string_view name) {
  std::vector<std::string_view> names;
  std::string known;
  for (const Shape& shape : table) {
    if (shape.name == name) return shape;
    names.push_back(shape.name);
    known += (known.empty() ? "" : ", ") + std::string(shape.name);
  }
  return fail(Code::not_found, "--shape: {} is none of {}{}", quoted(name), known, did_you_mean(name, names));
}

file::Metadata metadata_of(const Shape& shape) {
  file::Metadata metadata;
  const auto set = [&](std::string_view key, file::MetaValue value) {
    QN_CHECK(metadata.set(fmt::format("{}.{}", shape.architecture, key), std::move(value)), "each key once");
  };
  const auto number = [](int value) { return file::MetaValue(static_cast<std::uint32_t>(value)); };
  metadata.set("general.architecture", std::string(shape.architecture));
  metadata.set("general.name", fmt::format("random weights, shape of {}", shape.name));
  set("block_count", number(shape.layers));
  set("context_length", number(shape.context));
  set("embedding_length", number(shape.width));
  set("feed_forward_length", number(shape.feed_forward));
  set("attention.head_count", number(shape.heads));
  set("attention.head_count_kv", number(shape.kv_heads));
  set("attention.key_length", number(shape.head));
  set("attention.value_length", number(shape.head));
  set("attention.layer_norm_rms_epsilon", shape.norm_eps);
  set("rope.dimension_count", number(shape.head));
  set("rope.freq_base", shape.rope_theta);
  set("vocab_size", number(shape.vocab));
  return metadata;
}

model::Sizes sizes_of(const Shape& shape) {
  const auto architecture = model::find_architecture(shape.architecture);
  QN_CHECK(architecture, "the table names architectures that there are");
  auto sizes = (*architecture)->read_sizes(metadata_of(shape), shape.vocab);
  QN_CHECK(sizes, "the table's numbers are those of a model");
  return *std::move(sizes);
}

std::vector<ShapeTensor> tensors_of(const Shape& shape) {
  const model::Sizes sizes = sizes_of(shape);
  const std::span<const model::TensorRow> rows = (*model::find_architecture(shape.architecture))->rows;
  std::vector<ShapeTensor> tensors;
  const auto add = [&](const model::TensorRow& row, int layer) {
    // Of what a model may have or not, these models have their own output matrix at most.
    const bool there = row.presence == model::Presence::required || (row.key == "output" && shape.output == Head::own);
    if (there)
      tensors.push_back({layer < 0 ? std::string(row.gguf) : fmt::format(fmt::runtime(row.gguf), layer), &row, layer,
                         model::resolve(row.rows, sizes), model::resolve(row.columns, sizes)});
  };
  for (const model::TensorRow& row : rows)
    if (!row.per_layer()) add(row, -1);
  for (int layer = 0; layer < shape.layers; ++layer)
    for (const model::TensorRow& row : rows)
      if (row.per_layer()) add(row, layer);
  return tensors;
}

std::uint64_t parameters_of(const Shape& shape) {
  std::uint64_t count = 0;
  for (const ShapeTensor& tensor : tensors_of(shape)) count += tensor.parameters();
  return count;
}

}  // namespace qn::cli
