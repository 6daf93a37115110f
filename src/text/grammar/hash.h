// Mixing for tables and cache keys, seeded once a process so that nobody can choose collisions.
#pragma once

#include <cstdint>
#include <random>

namespace qn::text::grammar {

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD1B54A32D192ED03ULL);
  const auto folded = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  return (folded ^ (folded >> 29)) * 0xBF58476D1CE4E5B9ULL + a;
}

inline std::uint64_t process_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32) ^ device();
  }();
  return seed;
}

}  // namespace qn::text::grammar
