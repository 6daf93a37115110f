// The arithmetic of every CPU backend, written to be believed. What is defined here (operations, their order, where a result is
// rounded) is what each instruction set of backend/cpu repeats to the bit; docs/exactness.md says it in words.
// Denormal results and operands are zero: every thread that computes has called flush_denormals().
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace qn::ref {

inline constexpr int lanes = 16;

// Sixteen partial sums, folded by a fixed tree: an order that every instruction set can follow exactly.
inline float fold(float (&lane)[lanes]) {
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) lane[j] += lane[j + half];
  return lane[0];
}

inline float dot(const float* a, const float* b, int count) {
  float lane[lanes] = {};
  for (int i = 0; i < count; ++i) lane[i % lanes] = std::fma(a[i], b[i], lane[i % lanes]);
  return fold(lane);
}

inline float sum(const float* x, int count) {
  float lane[lanes] = {};
  for (int i = 0; i < count; ++i) lane[i % lanes] += x[i];
  return fold(lane);
}

// e^x to 1.01 units in the last place (tests/ops measures it); 0 below -87, infinity above 88, NaN for NaN.
// x = n ln 2 + r with |r| <= ln 2 / 2; n is rounded to nearest-even by adding 1.5 * 2^23, so its low bits lie in the sum's.
inline float exp(float x) {
  const float shifter = 0x1.8p23f;
  const float shifted = std::fma(x, 0x1.715476p+0f, shifter);
  const float n = shifted - shifter;
  float r = std::fma(n, -0x1.62e43p-1f, x);
  r = std::fma(n, 0x1.05c61p-29f, r);
  float p = 0x1.6a23cep-10f;  // fitted for least relative error with 1 and r exact
  p = std::fma(p, r, 0x1.123a2p-7f);
  p = std::fma(p, r, 0x1.5558f2p-5f);
  p = std::fma(p, r, 0x1.555492p-3f);
  p = std::fma(p, r, 0x1.fffffcp-2f);
  p = std::fma(p, r * r, r) + 1.0f;
  const float power = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000u);
  if (x < -87.0f) return 0.0f;
  if (x > 88.0f) return std::numeric_limits<float>::infinity();
  return p * power;
}

inline float silu(float x) {
  return x / (1.0f + ref::exp(-x));
}

// The larger; b where they cannot be compared.
inline float larger(float a, float b) {
  return a > b ? a : b;
}

}  // namespace qn::ref
