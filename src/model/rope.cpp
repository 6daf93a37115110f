#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace qn::model {
namespace {

// The component at which a wave turns `rotations` times within the original context.
double correction_dim(double rotations, const Sizes& sizes) {
  const double wave = sizes.rope_scaling.original_context / (rotations * 2 * std::numbers::pi);
  return sizes.rotated * std::log(wave) / (2 * std::log(static_cast<double>(sizes.rope_theta)));
}

// YaRN: fast components keep their frequency, slow ones are divided by the factor, a ramp lies between.
void scale_yarn(const Sizes& sizes, RopeFrequencies& f) {
  const RopeScaling& scaling = sizes.rope_scaling;
  const double low = std::max(std::floor(correction_dim(scaling.beta_fast, sizes)), 0.0);
  double high = std::min(std::ceil(correction_dim(scaling.beta_slow, sizes)), sizes.rotated - 1.0);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < f.inverse.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    const double kept = f.inverse[i], divided = f.inverse[i] / scaling.factor;
    f.inverse[i] = static_cast<float>(divided * ramp + kept * (1 - ramp));
  }
  f.magnitude = scaling.attention_factor > 0 ? scaling.attention_factor : 0.1f * std::log(std::max(scaling.factor, 1.0f)) + 1;
}

}  // namespace

RopeFrequencies rope_frequencies(const Sizes& sizes, std::span<const float> divisors) {
  RopeFrequencies f;
  f.inverse.resize(static_cast<std::size_t>(sizes.rotated / 2));
  for (std::size_t i = 0; i < f.inverse.size(); ++i)
    f.inverse[i] = static_cast<float>(1.0 / std::pow(static_cast<double>(sizes.rope_theta), 2.0 * static_cast<double>(i) / sizes.rotated));
  switch (sizes.rope_scaling.kind) {
    case RopeScaling::Kind::none: break;
    case RopeScaling::Kind::linear:
      for (float& inverse : f.inverse) inverse /= sizes.rope_scaling.factor;
      break;
    case RopeScaling::Kind::yarn: scale_yarn(sizes, f); break;
  }
  if (!divisors.empty()) {
    QN_CHECK(divisors.size() == f.inverse.size(), "the weight table checks the shape of rope_freqs");
    for (std::size_t i = 0; i < f.inverse.size(); ++i) f.inverse[i] /= divisors[i];
  }
  return f;
}

void fill_cos_sin(const RopeFrequencies& f, std::span<const int> positions, std::span<float> cos_sin) {
  const std::size_t half = f.inverse.size();
  QN_CHECK(cos_sin.size() == positions.size() * 2 * half, "cos_sin is [T, rotated]");
  for (std::size_t t = 0; t < positions.size(); ++t) {
    float* row = cos_sin.data() + t * 2 * half;
    for (std::size_t i = 0; i < half; ++i) {
      // The angle is rounded to float, as the models were trained with.
      const SinCos turn = sin_cos(static_cast<float>(positions[t]) * f.inverse[i]);
      row[i] = static_cast<float>(turn.cos) * f.magnitude;
      row[half + i] = static_cast<float>(turn.sin) * f.magnitude;
    }
  }
}

SinCos sin_cos(double x) {
  // Cody and Waite: x = k pi/2 + r, with pi/2 in three parts, the first two of 33 bits: the first fma is then exact.
  constexpr double part1 = 0x1.921fb544p+0, part2 = 0x1.0b4611a6p-34, part3 = 0x1.3198a2e037073p-69;
  const double k = std::nearbyint(x * (2 / std::numbers::pi));
  double r = std::fma(-k, part1, x);
  r = std::fma(-k, part2, r);
  r = std::fma(-k, part3, r);
  // Taylor series on [-pi/4, pi/4]: the first term left out is below 1e-16.
  const double z = r * r;
  double s = -1.0 / 1307674368000.0;
  for (const double c : {1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0, -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0})
    s = std::fma(s, z, c);
  const double sine = std::fma(s * z, r, r);
  double c = 1.0 / 20922789888000.0;
  for (const double d :
       {-1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0, 1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -1.0 / 2.0, 1.0})
    c = std::fma(c, z, d);
  switch (static_cast<long long>(k) & 3) {
    case 0: return {sine, c};
    case 1: return {c, -sine};
    case 2: return {-sine, -c};
    default: return {-c, sine};
  }
}

}  // namespace qn::model
