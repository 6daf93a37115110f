// Any bytes are blocks of every format: reading them is defined, and the integers stay within what a 32-bit sum can take. Any floats can be
// written, with any importance.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/check.h"
#include "quant/format.h"

using qn::quant::Format;
using qn::quant::IntBlock;

namespace {

// The largest sum over the block of scale * code * x with |x| <= 127.
std::int64_t worst_sum(const Format& format, const IntBlock& ints) {
  std::int64_t sum = 0;
  for (int i = 0; i < format.block_weights; ++i)
    sum += std::abs(std::int64_t{ints.scale[i / qn::quant::group_weights]} * ints.code[i]) * 127;
  return sum;
}

void write_as(const Format& format, const std::vector<float>& values, const float* importance, std::size_t block_count) {
  if (block_count == 0) return;
  const auto weights = static_cast<std::size_t>(format.block_weights), block_bytes = static_cast<std::size_t>(format.block_bytes);
  std::vector<std::byte> blocks(block_count * block_bytes), last(block_bytes);
  format.quantize(values.data(), importance, blocks.data(), block_count);
  const std::size_t first = (block_count - 1) * weights;
  format.quantize(values.data() + first, importance == nullptr ? nullptr : importance + first, last.data(), 1);
  QN_CHECK(std::equal(last.begin(), last.end(), blocks.end() - static_cast<std::ptrdiff_t>(block_bytes)),
           "a block depends on its neighbours");
  if (format.kind == qn::quant::Kind::quantized && (!format.for_cache || (importance != nullptr && format.name != "Q8_0"))) {
    std::vector<float> back(block_count * weights);
    format.dequantize(blocks.data(), back.data(), block_count);
    for (const float value : back) QN_CHECK(std::isfinite(value), "a search wrote what is no number");
  }
}

void read_as(const Format& format, const std::byte* bytes, std::size_t block_count) {
  const auto weights = static_cast<std::size_t>(format.block_weights);
  std::vector<float> values(block_count * weights);
  format.dequantize(bytes, values.data(), block_count);
  if (format.unpack != nullptr) {
    IntBlock ints;
    for (std::size_t i = 0; i < block_count; ++i) {
      format.unpack(bytes + i * static_cast<std::size_t>(format.block_bytes), ints);
      QN_CHECK(worst_sum(format, ints) < std::int64_t{1} << 31, "a sum over a block leaves 32 bits");
    }
  }
  if (format.quantize != nullptr) write_as(format, values, nullptr, block_count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  for (const Format& format : qn::quant::formats()) read_as(format, bytes, size / static_cast<std::size_t>(format.block_bytes));
  // The writers, on any floats and with any importance. What they write reads as numbers, the same whatever lies beside a block.
  const qn::quant::Format& f32 = *qn::quant::find_format("F32");
  std::vector<float> values(size / sizeof(float));
  f32.dequantize(bytes, values.data(), values.size());
  const std::vector<float> importance(values.rbegin(), values.rend());
  for (const Format& format : qn::quant::formats()) {
    if (format.quantize == nullptr) continue;
    const std::size_t block_count = values.size() / static_cast<std::size_t>(format.block_weights);
    write_as(format, values, nullptr, block_count);
    write_as(format, values, importance.data(), block_count);
  }
  return 0;
}
