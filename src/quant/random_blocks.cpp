#include "quant/random_blocks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "quant/registry.h"

namespace qn::quant {
namespace {

// The factors of a block, as a number format names them: d times the codes, and `low` (dmin or m) times the minima.
struct Factors {
  float d = 0, low = 0;
};

template <class Block>
void set_factors(Block& block, const Factors& factors) {
  if constexpr (requires { block.e; }) {  // a power of two: the nearest
    block.e = static_cast<std::uint8_t>(127 + std::lround(std::log2(std::max(std::fabs(factors.d), 0x1p-120F))));
  } else if constexpr (requires { block.d; }) {
    block.d.set(f32_to_f16(factors.d));
  } else {  // four bits of the factor on top of each of four words of scales
    const std::uint16_t d = f32_to_f16(factors.d);
    for (int word = 0; word < 4; ++word)
      block.scales[word].set(static_cast<std::uint16_t>((block.scales[word].value() & 0x0FFF) | (d >> 4 * word & 15) << 12));
  }
  if constexpr (requires { block.dmin; }) block.dmin.set(f32_to_f16(factors.low));
  if constexpr (requires { block.m; }) block.m.set(f32_to_f16(factors.low));
}

void draw_bytes(std::uint64_t seed, std::span<std::byte> bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    const auto words = philox(seed, at / 16);
    std::memcpy(bytes.data() + at, words.data(), std::min<std::size_t>(16, bytes.size() - at));
  }
}

struct Moments {
  double mean = 0, square = 0;
};

template <class F>
Moments moments_of(std::span<typename F::Block> blocks, const Factors& factors) {
  Moments sum;
  float value[F::weights];
  for (typename F::Block& block : blocks) {
    set_factors(block, factors);
    F::dequantize(block, value);
    for (const float v : value) {
      sum.mean += v;
      sum.square += static_cast<double>(v) * v;
    }
  }
  const double count = static_cast<double>(blocks.size()) * F::weights;
  return {sum.mean / count, sum.square / count};
}

// What the factors have to be is found by trying: with random codes, which values do factors of one give?
template <class F>
Factors calibrate(float spread) {
  std::vector<typename F::Block> sample(64 * 256 / F::weights);
  draw_bytes(1, std::as_writable_bytes(std::span(sample)));
  Factors factors{1, 0};
  if constexpr (F::has_min) {
    const double mean_of_codes = moments_of<F>(sample, {1, 0}).mean;
    factors.low = static_cast<float>(-mean_of_codes / moments_of<F>(sample, {0, 1}).mean);
  }
  const float scale = spread / static_cast<float>(std::sqrt(moments_of<F>(sample, factors).square));
  return {factors.d * scale, factors.low * scale};
}

template <class F>
void fill(std::uint64_t seed, float spread, std::span<std::byte> bytes) {
  auto* blocks = reinterpret_cast<typename F::Block*>(bytes.data());
  const std::size_t count = bytes.size() / sizeof(typename F::Block);
  if constexpr (F::weights == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      float sum = 0;  // of four uniform draws: near enough to a normal one
      for (const std::uint32_t word : philox(seed, i)) sum += static_cast<float>(word) * 0x1p-32F - 0.5F;
      const float value = sum * spread * 1.7320508F;
      F::quantize(&value, blocks[i]);
    }
  } else {
    draw_bytes(seed, bytes);
    const Factors factors = calibrate<F>(spread);
    for (std::size_t i = 0; i < count; ++i) {
      // Codes may reach further down than up: blocks of either sign even that out.
      const float jitter = (0.5F + uniform(seed, i, 1)) * (uniform(seed, i, 2) < 0.5F ? -1.0F : 1.0F);
      set_factors(blocks[i], {factors.d * jitter, factors.low * jitter});
    }
  }
}

struct Filler {
  std::uint32_t gguf_type;
  void (*fill)(std::uint64_t seed, float spread, std::span<std::byte> bytes);
};
#define QN_FILLER(F) Filler{F::gguf_type, fill<F>},
constexpr auto fillers = std::to_array<Filler>({QN_QUANT_FORMATS(QN_FILLER)});
#undef QN_FILLER

}  // namespace

void fill_random(const Format& format, std::uint64_t seed, float spread, std::span<std::byte> blocks) {
  QN_CHECK(blocks.size() % static_cast<std::size_t>(format.block_bytes) == 0, "a whole number of blocks");
  for (const Filler& filler : fillers)
    if (filler.gguf_type == format.gguf_type) return filler.fill(seed, spread, blocks);
  QN_CHECK(false, "a format of the registry");
}

}  // namespace qn::quant
