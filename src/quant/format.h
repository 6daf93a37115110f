// What a block of bytes means as numbers. One file a format (quant/<name>.h) and one line in quant/registry.h.
//
// Every format is read in two ways, both exact:
//   dequantize   the float values, bit for bit as the `gguf` Python package computes them
//   unpack       small integers with scales (IntBlock), from which the quantized product is computed (backend/ref/linear)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace qn::quant {

inline constexpr int max_block_weights = 256;
inline constexpr int group_weights = 16;  // no format has a finer scale

// One block as integers:   weight[i] = d * scale[i / 16] * code[i] - dmin * min[i / 16]
// The sum over the block of scale * code * x with int8 x stays below 2^31, so a product with a quantized activation is exact.
struct IntBlock {
  float d = 0;
  float dmin = 0;                                              // 0 where the format has no minimum
  std::int8_t code[max_block_weights] = {};                    // the first `block_weights` hold
  std::int16_t scale[max_block_weights / group_weights] = {};  // 1 where the format has a single scale
  std::int16_t min[max_block_weights / group_weights] = {};    // 0 where the format has no minimum
};

enum class Kind {
  plain,      // f32, f16, bf16: no blocks; products are float
  quantized,  // blocks; products are integer within a block
};

struct Format {
  std::string_view name;    // as GGUF tools print it: "Q4_K", "F16"
  std::uint32_t gguf_type;  // ggml type number in the file
  Kind kind;
  int block_weights;  // 1, 32 or 256
  int block_bytes;
  bool has_min;  // dmin and min are used
  void (*dequantize)(const std::byte* blocks, float* out, std::size_t block_count);
  void (*unpack)(const std::byte* block, IntBlock& out);  // null for plain formats

  // Writes whole blocks of one row; each block depends on its own values only. Null where we only read the format.
  //   importance   null, or a weight >= 0 for each value: how much its squared error counts, the mean square of the activation that meets
  //                that column. Without it every value counts the same.
  void (*quantize)(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);
  bool needs_importance;  // too coarse to be of use without: llama.cpp refuses, and so should whoever writes files
  bool for_cache;         // may hold keys and values: writing takes no search

  std::size_t row_bytes(std::int64_t weights) const {  // weights is a multiple of block_weights
    return static_cast<std::size_t>(weights / block_weights) * static_cast<std::size_t>(block_bytes);
  }
};

std::span<const Format> formats();                   // in the order of the registry
const Format* find_format(std::uint32_t gguf_type);  // null where unknown
const Format* find_format(std::string_view name);    // any case; null where unknown

// A matrix as it lies in a file: `rows` rows of `columns` weights, each row a whole number of blocks. Borrowed bytes.
struct EncodedTensor {
  std::string_view name;
  const Format* format = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;  // contiguous
  std::span<const std::byte> bytes;
};

}  // namespace qn::quant
