#include "backend/ref/linear.h"

#include <cmath>
#include <vector>

#include "backend/ref/arithmetic.h"

namespace qn::ref {
namespace {

const std::byte* row_of(const quant::EncodedTensor& weight, int row) {
  return weight.bytes.data() + static_cast<std::size_t>(row) * weight.format->row_bytes(weight.columns);
}

}  // namespace

float dot_quantized(const quant::EncodedTensor& weight, int row, const QuantizedRow& x) {
  const quant::Format& format = *weight.format;
  const std::byte* bytes = row_of(weight, row);
  float total = 0;
  quant::IntBlock block;
  for (std::size_t b = 0; b < x.scale.size(); ++b) {
    format.unpack(bytes + b * static_cast<std::size_t>(format.block_bytes), block);
    const std::int8_t* code = x.code.data() + b * static_cast<std::size_t>(format.block_weights);
    std::int32_t scaled = 0;   // sum of scale * code * x
    std::int32_t minimum = 0;  // sum of min * x
    for (int group = 0; group < format.block_weights / quant::group_weights; ++group) {
      std::int32_t product = 0, sum = 0;
      for (int i = group * quant::group_weights; i < (group + 1) * quant::group_weights; ++i) {
        product += block.code[i] * code[i];
        sum += code[i];
      }
      scaled += block.scale[group] * product;
      minimum += block.min[group] * sum;
    }
    total = std::fma(block.d * x.scale[b], static_cast<float>(scaled), total);
    if (format.has_min) total = std::fma(-(block.dmin * x.scale[b]), static_cast<float>(minimum), total);
  }
  return total;
}

float dot_plain(const quant::EncodedTensor& weight, int row, std::span<const float> x) {
  std::vector<float> values(x.size());
  decode_row(weight, row, values.data());
  return dot(values.data(), x.data(), static_cast<int>(x.size()));
}

void decode_row(const quant::EncodedTensor& weight, int row, float* out) {
  weight.format->dequantize(row_of(weight, row), out, static_cast<std::size_t>(weight.columns / weight.format->block_weights));
}

}  // namespace qn::ref
