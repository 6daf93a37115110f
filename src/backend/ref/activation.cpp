#include "backend/ref/activation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace qn::ref {

QuantizedRow quantize_row(std::span<const float> x, int block_weights) {
  const std::size_t block = static_cast<std::size_t>(block_weights);
  QN_CHECK(x.size() % block == 0, "a row is whole blocks");
  QuantizedRow row{block_weights, std::vector<std::int8_t>(x.size()), std::vector<float>(x.size() / block)};
  for (std::size_t b = 0; b < row.scale.size(); ++b) {
    // Compared as integers, magnitudes are ordered like the numbers, and a NaN is above them all.
    std::uint32_t largest_bits = 0;
    for (std::size_t i = b * block; i < (b + 1) * block; ++i)
      largest_bits = std::max(largest_bits, std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffu);
    const float largest = std::bit_cast<float>(largest_bits);
    if (largest_bits >= 0x7f800000u) {
      row.scale[b] = std::numeric_limits<float>::quiet_NaN();
    } else if (largest >= 0x1p-100f) {
      row.scale[b] = largest / 127.0f;
      const float inverse = 127.0f / largest;
      for (std::size_t i = b * block; i < (b + 1) * block; ++i) row.code[i] = static_cast<std::int8_t>(std::nearbyint(x[i] * inverse));
    }
  }
  return row;
}

}  // namespace qn::ref
