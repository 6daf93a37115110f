// Norm, SwiGLU, embed, gather, and the exponential they stand on.
#include <cmath>

#include "backend/cpu/kernels.h"
#include "backend/ref/activation.h"
#include "backend/ref/arithmetic.h"
#include "base/cpu_features.h"
#include "support.h"

namespace qn::test {
namespace {

const qn::cpu::KernelTable& kernels(Isa isa) {
  if (isa >= Isa::avx512) return qn::cpu::kernels_avx512();
  if (isa == Isa::avxvnni) return qn::cpu::kernels_avxvnni();
  return isa == Isa::avx2 ? qn::cpu::kernels_avx2() : qn::cpu::kernels_scalar();
}

class Elementwise : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { flush_denormals(); }
};
INSTANTIATE_TEST_SUITE_P(All, Elementwise, ::testing::ValuesIn(available_isas()), isa_name);

TEST_P(Elementwise, the_vector_exponential_equals_the_scalar_one) {
  std::vector<float> x(64), y(64);
  std::uint64_t bits = 0;
  while (bits < (std::uint64_t{1} << 32)) {
    for (float& value : x) {
      value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      bits += 1021;  // prime: every exponent and all kinds of fractions
    }
    kernels(GetParam()).exponential(x.data(), y.data(), 64);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(same_bits(y[i], ref::exp(x[i]))) << "exp(" << x[i] << ") is " << y[i] << ", ref has " << ref::exp(x[i]);
  }
}

TEST(Exponential, is_within_two_units_in_the_last_place) {
  flush_denormals();
  double worst = 0;
  for (int i = -8'700'000; i <= 8'800'000; ++i) {
    const float x = static_cast<float>(i) * 1.00001e-5f;
    if (x < -87.0f || x > 88.0f) continue;
    const double exact = std::exp(static_cast<double>(x));
    const double unit = std::ldexp(1.0, std::ilogb(static_cast<float>(exact)) - 23);
    worst = std::max(worst, std::abs(static_cast<double>(ref::exp(x)) - exact) / unit);
  }
  RecordProperty("worst_units", std::to_string(worst));
  EXPECT_LT(worst, 2.0);
  EXPECT_GT(worst, 0.4);  // a bound this far below the other would mean that nothing was measured
}

TEST(Exponential, has_the_values_at_its_ends) {
  EXPECT_EQ(ref::exp(0.0f), 1.0f);
  EXPECT_EQ(ref::exp(-0.0f), 1.0f);
  EXPECT_EQ(ref::exp(-1000.0f), 0.0f);
  EXPECT_EQ(ref::exp(1000.0f), std::numeric_limits<float>::infinity());
  EXPECT_EQ(ref::exp(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_TRUE(std::isnan(ref::exp(std::numeric_limits<float>::quiet_NaN())));
}

TEST_P(Elementwise, activations_are_quantized_as_ref_does) {
  for (const int block : {32, 256})
    for (const std::uint64_t seed : {1, 2, 3}) {
      const int columns = 1536;
      Matrix x = random_matrix(1, columns, seed);
      for (int i = 0; i < 256; ++i) x.values[static_cast<std::size_t>(i)] = static_cast<float>(i % 255 - 127) * 0.5f;  // ties everywhere
      x.values[300] = std::numeric_limits<float>::infinity();
      x.values[600] = -std::numeric_limits<float>::quiet_NaN();
      for (std::size_t i = 768; i < 1024; ++i) x.values[i] *= 1e-31f;
      const ref::QuantizedRow wanted = ref::quantize_row(x.values, block);
      std::vector<std::int8_t> code(columns);
      std::vector<float> scale(static_cast<std::size_t>(columns / block));
      std::vector<std::int16_t> sum_16(columns / 16), sum_32(columns / 32);
      kernels(GetParam()).quantize(x.values.data(), columns, block, code.data(), scale.data(), sum_16.data(), sum_32.data());
      EXPECT_EQ(code, wanted.code);
      EXPECT_TRUE(same(scale, wanted.scale));
      for (std::size_t i = 0; i < sum_16.size(); ++i) {
        int sum = 0;
        for (std::size_t k = 0; k < 16; ++k) sum += code[i * 16 + k];
        EXPECT_EQ(sum_16[i], sum);
      }
      for (std::size_t i = 0; i < sum_32.size(); ++i) EXPECT_EQ(sum_32[i], sum_16[2 * i] + sum_16[2 * i + 1]);
    }
}

TEST_P(Elementwise, rms_norm_gives_the_bits_of_ref) {
  for (const int columns : {1, 3, 16, 31, 64, 100, 896, 1536})
    for (const int rows : {1, 7, 65}) {
      Matrix x = random_matrix(rows, columns, static_cast<std::uint64_t>(columns));
      if (columns > 3) x.values[3] = 1e-30f;  // its square is denormal
      const auto weight = encode_f32(random_matrix(1, columns, 5));
      const auto norm = [&](Backend& backend) {
        Matrix y = x;  // in place
        backend.ops().rms_norm(y.tensor(), *adopt(backend, *weight, Use::vector), 1e-6f, y.tensor());
        return y.values;
      };
      const std::vector<float> wanted = norm(*make_ref_backend());
      EXPECT_TRUE(same(norm(*cpu(GetParam())), wanted)) << rows << " x " << columns;
      EXPECT_TRUE(same(norm(*cpu(GetParam(), 3)), wanted)) << rows << " x " << columns;
    }
}

TEST_P(Elementwise, swiglu_gives_the_bits_of_ref) {
  for (const int columns : {1, 17, 96, 4864})
    for (const int rows : {1, 7, 33}) {
      Matrix gate = random_matrix(rows, columns, 1), up = random_matrix(rows, columns, 2);
      gate.values[0] = -200;
      if (columns > 4) gate.values[4] = 1e-40f;
      const auto run = [&](Backend& backend) {
        Matrix y = gate;
        backend.ops().swiglu(y.tensor(), up.tensor(), y.tensor());
        return y.values;
      };
      const std::vector<float> wanted = run(*make_ref_backend());
      EXPECT_TRUE(same(run(*cpu(GetParam())), wanted)) << rows << " x " << columns;
      EXPECT_TRUE(same(run(*cpu(GetParam(), 2)), wanted)) << rows << " x " << columns;
    }
}

TEST_P(Elementwise, embed_gives_the_rows_of_the_table_in_every_format) {
  const std::vector<TokenId> ids = {3, 0, 3, 40, 17};
  for (const quant::Format& format : quant::formats()) {
    const auto table = random_weights(format, 41, 256, 3);
    const auto run = [&](Backend& backend) {
      Matrix y(5, 256);
      backend.ops().embed(*adopt(backend, *table, Use::both), ids, y.tensor());
      return y.values;
    };
    EXPECT_TRUE(same(run(*cpu(GetParam(), 2)), run(*make_ref_backend()))) << format.name;
  }
}

TEST_P(Elementwise, gather_takes_the_named_rows) {
  Matrix x = random_matrix(9, 33, 1), y(3, 33);
  const std::vector<int> rows = {8, 0, 8};
  cpu(GetParam())->ops().gather(x.tensor(), rows, y.tensor());
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(std::memcmp(y.tensor().row(static_cast<int>(i)), x.tensor().row(rows[i]), 33 * sizeof(float)), 0);
}

TEST_P(Elementwise, half_floats_are_read_exactly_denormals_included) {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  const struct {
    const char* format;
    qn::cpu::RowType type;
  } cases[] = {{"F16", qn::cpu::RowType::f16}, {"BF16", qn::cpu::RowType::bf16}};
  for (const auto& c : cases) {
    std::vector<float> got(65536), wanted(65536);
    kernels(GetParam()).decode(c.type, reinterpret_cast<const std::byte*>(halves.data()), got.data(), 65536);
    quant::find_format(c.format)->dequantize(reinterpret_cast<const std::byte*>(halves.data()), wanted.data(), 65536);
    EXPECT_TRUE(same(got, wanted)) << c.format;
  }
}

}  // namespace
}  // namespace qn::test
