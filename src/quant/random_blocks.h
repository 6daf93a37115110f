// Random weights of any format: blocks whose bytes are drawn, and whose factors are set so that the values have mean 0 and a given spread.
// For benchmarks of models that nobody has downloaded: every code occurs, nothing is zero, infinite or a denormal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quant/format.h"

namespace qn::quant {

//   blocks   a whole number of them; the same seed gives the same bytes
//   spread   root mean square of the values, to within a tenth
void fill_random(const Format& format, std::uint64_t seed, float spread, std::span<std::byte> blocks);

}  // namespace qn::quant
