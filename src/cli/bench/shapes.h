// Shapes: the published sizes of models, by name, so that one can be measured without being downloaded.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "file/gguf_writer.h"
#include "model/architecture.h"

namespace qn::cli {

enum class Head { tied, own };  // whether the embedding table serves as the output matrix

struct Shape {
  std::string_view name;
  std::string_view architecture;
  int layers, width, feed_forward, heads, kv_heads, head, vocab;
  Head output;
  int context;
  float rope_theta, norm_eps;
};

std::span<const Shape> shapes();
//   errors   not_found: the nearest names
Result<Shape> find_shape(std::string_view name);

// What a file of this shape says of itself, without a vocabulary: tokenizer.ggml.model is "none", which llama.cpp reads too.
file::Metadata metadata_of(const Shape& shape);
model::Sizes sizes_of(const Shape& shape);

// The tensors of the shape, from the weight table of its architecture. Formats are not chosen yet.
struct ShapeTensor {
  std::string name;
  const model::TensorRow* row;
  int layer;  // -1: none
  std::int64_t rows, columns;
  std::uint64_t parameters() const { return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns); }
};
std::vector<ShapeTensor> tensors_of(const Shape& shape);
std::uint64_t parameters_of(const Shape& shape);

}  // namespace qn::cli
