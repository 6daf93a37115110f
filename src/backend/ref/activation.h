// A row of activations as int8, one scale for each block of the weight format it meets:  x[i] ~ scale[i / block] * code[i].
//   largest   the largest |x| of the block
//   scale     largest / 127
//   code      x * (127 / largest), rounded to nearest, ties to even; in [-127, 127]
// A block whose largest is below 2^-100 is all zero with scale 0 (127 / largest would overflow); one that holds an infinity or a NaN
// has scale NaN and codes 0, so the fault is seen in every output and nothing is undefined.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qn::ref {

struct QuantizedRow {
  int block_weights = 0;
  std::vector<std::int8_t> code;  // [M]
  std::vector<float> scale;       // [M / block_weights]
};

QuantizedRow quantize_row(std::span<const float> x, int block_weights);

}  // namespace qn::ref
