// What the op tests share: random numbers and matrices from a seed, the backends to compare, and equality of bits.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "backend/ref/ref_backend.h"

namespace qn::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint32_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 16);
  }
  float between(float low, float high) { return low + (high - low) * static_cast<float>(bits() >> 8) * 0x1p-24f; }
  // Mostly near one, with a few values a hundred times larger, as activations are.
  float activation() { return between(-1, 1) * (bits() % 64 == 0 ? 100.0f : 1.0f); }

 private:
  std::uint64_t state_;
};

struct Matrix {  // f32 [rows, columns] in host memory
  int rows = 0, columns = 0;
  std::vector<float> values;
  Matrix(int r, int c) : rows(r), columns(c), values(static_cast<std::size_t>(r) * static_cast<std::size_t>(c)) {}
  Tensor tensor() { return {reinterpret_cast<std::byte*>(values.data()), Element::f32, rows, columns}; }
};

inline Matrix random_matrix(int rows, int columns, std::uint64_t seed) {
  Random random(seed);
  Matrix m(rows, columns);
  for (float& value : m.values) value = random.activation();
  return m;
}

// A matrix of a file: bytes and the description that adopt() takes.
struct Encoded {
  std::vector<std::byte> bytes;
  quant::EncodedTensor tensor;
};

// Random bits, block by block, until the block's values are finite and small; so every code, scale and (denormal) factor occurs.
inline std::unique_ptr<Encoded> random_weights(const quant::Format& format, int rows, int columns, std::uint64_t seed) {
  auto weights = std::make_unique<Encoded>();
  const std::size_t blocks = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns / format.block_weights);
  const std::size_t block_bytes = static_cast<std::size_t>(format.block_bytes);
  weights->bytes.resize(blocks * block_bytes);
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(format.block_weights));
  for (std::size_t b = 0; b < blocks; ++b) {
    std::byte* block = weights->bytes.data() + b * block_bytes;
    for (bool good = false; !good;) {
      for (std::size_t i = 0; i < block_bytes; ++i) block[i] = static_cast<std::byte>(random.bits());
      format.dequantize(block, values.data(), 1);
      good = true;
      for (const float value : values) good = good && std::abs(value) < 1000.0f;
    }
  }
  weights->tensor = {"test.weight", &format, rows, columns, weights->bytes};
  return weights;
}

inline std::unique_ptr<Encoded> encode_f32(const Matrix& m) {
  auto weights = std::make_unique<Encoded>();
  weights->bytes.resize(m.values.size() * sizeof(float));
  std::memcpy(weights->bytes.data(), m.values.data(), weights->bytes.size());
  weights->tensor = {"test.vector", quant::find_format("F32"), m.rows, m.columns, weights->bytes};
  return weights;
}

inline std::unique_ptr<Weight> adopt(Backend& backend, const Encoded& weights, Use use) {
  auto weight = backend.adopt(weights.tensor, use);
  QN_CHECK(weight.has_value(), "a test's weights are adoptable");
  return std::move(*weight);
}

inline bool same_bits(float a, float b) {  // one NaN is as good as another
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (a != a && b != b);
}

inline ::testing::AssertionResult same(const std::vector<float>& got, const std::vector<float>& wanted) {
  if (got.size() != wanted.size()) return ::testing::AssertionFailure() << got.size() << " values, expected " << wanted.size();
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!same_bits(got[i], wanted[i]))
      return ::testing::AssertionFailure() << "value " << i << " of " << got.size() << " is " << got[i] << ", expected " << wanted[i];
  return ::testing::AssertionSuccess();
}

inline std::vector<Isa> available_isas() {
  return {usable_isas().begin(), usable_isas().end()};
}

inline std::unique_ptr<Backend> cpu(Isa isa, int threads = 1) {
  return make_cpu_backend({threads, isa});
}

inline std::string isa_name(const ::testing::TestParamInfo<Isa>& info) {
  return std::string(name(info.param));
}

}  // namespace qn::test
