// A counter-based generator: the n-th draw is a function of (seed, n), so nothing else that runs can change it.
//   source   Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
#pragma once

#include <array>
#include <cstdint>

namespace qn {

// Four independent 32-bit words for one (key, counter).
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low, std::uint64_t counter_high = 0);

// Uniform in [0, 1), 24 bits, exact in float.
float uniform(std::uint64_t seed, std::uint64_t position, std::uint32_t stream = 0);

}  // namespace qn
