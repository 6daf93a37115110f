// The writers that search (quant/write/): how close they come, on every instruction set, and what they make of hostile values.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "quant/registry.h"
#include "quant/write/writers.h"
#include "unit/quant/sample_weights.h"

namespace qn::quant {
namespace {

struct Set {
  const char* name;
  const WriterTable& (*table)();
};

std::vector<Set> instruction_sets() {
  std::vector<Set> sets = {{"scalar", writers_scalar}};
  if (best_isa() >= Isa::avx2) sets.push_back({"avx2", writers_avx2});
  if (best_isa() >= Isa::avx512) sets.push_back({"avx512", writers_avx512});
  return sets;
}

struct Written {
  std::string_view format;
  Writer WriterTable::*writer;
  bool plain_without_importance;  // F::quantize then, which keeps what it is given, infinities included
};
template <class F>
constexpr bool is_plain = requires(const float* values, typename F::Block& block) {
  F::quantize(values, block);
};
#define QN_WRITER(F) {F::name, &WriterTable::write_##F, is_plain<F>},
const Written all_written[] = {QN_WRITTEN_FORMATS(QN_WRITER)};
#undef QN_WRITER

std::vector<std::byte> write(Writer writer, const Format& format, const std::vector<float>& values, const std::vector<float>& importance) {
  std::vector<std::byte> blocks(format.row_bytes(static_cast<std::int64_t>(values.size())));
  const std::size_t columns = importance.empty() ? values.size() : importance.size();
  for (std::size_t first = 0; first < values.size(); first += columns)
    writer(values.data() + first, importance.empty() ? nullptr : importance.data(),
           blocks.data() + format.row_bytes(static_cast<std::int64_t>(first)), columns / static_cast<std::size_t>(format.block_weights));
  return blocks;
}

std::vector<float> read(const Format& format, const std::vector<std::byte>& blocks) {
  std::vector<float> values(blocks.size() / static_cast<std::size_t>(format.block_bytes) * static_cast<std::size_t>(format.block_weights));
  format.dequantize(blocks.data(), values.data(), values.size() / static_cast<std::size_t>(format.block_weights));
  return values;
}

std::vector<float> round_trip(const Format& format, const std::vector<float>& values, const std::vector<float>& importance = {}) {
  return read(format, write(format.quantize, format, values, importance));
}

// What llama.cpp's quantizer reaches on the same numbers: `bench_quantize`, llama-cpp-python 0.3.36. For the types that it refuses to write
// without importance, "plain" is with a uniform one.
struct PeerError {
  std::string_view format;
  double normal, heavy, normal_weighted, heavy_weighted;
};
constexpr PeerError peer_errors[] = {
    {"Q4_0", 0.08571, 0.12619, 0.06544, 0.13027},    {"Q4_1", 0.07803, 0.11500, 0.04990, 0.07851},
    {"Q5_0", 0.04270, 0.07905, 0.03286, 0.08052},    {"Q5_1", 0.03770, 0.05577, 0.02425, 0.04185},
    {"Q2_K", 0.29655, 0.30794, 0.18079, 0.23240},    {"Q3_K", 0.15076, 0.14429, 0.11152, 0.14020},
    {"Q4_K", 0.07106, 0.09602, 0.05108, 0.08448},    {"Q5_K", 0.03584, 0.05354, 0.02680, 0.04849},
    {"Q6_K", 0.01775, 0.03226, 0.01346, 0.03310},    {"IQ1_S", 0.48557, 0.67510, 0.35980, 0.58534},
    {"IQ1_M", 0.58505, 0.57147, 0.30434, 0.46287},   {"IQ2_XXS", 0.34376, 0.78577, 0.27980, 0.64076},
    {"IQ2_XS", 0.30022, 0.59890, 0.19923, 0.49693},  {"IQ2_S", 0.26629, 0.63390, 0.18225, 0.46782},
    {"IQ3_XXS", 0.21409, 0.38321, 0.11577, 0.27268}, {"IQ3_S", 0.16606, 0.32079, 0.09565, 0.25608},
    {"IQ4_NL", 0.07597, 0.10896, 0.05794, 0.09755},  {"IQ4_XS", 0.07659, 0.11048, 0.05899, 0.10078},
    {"TQ1_0", 0.80423, 0.57860, 0.80166, 0.60084},   {"TQ2_0", 0.80423, 0.57860, 0.80166, 0.60084},
    {"MXFP4", 0.11400, 0.16405, 0.11094, 0.16127},
};

constexpr double rounding = 0.5e-5;  // of the numbers above

class PeerErrors : public testing::TestWithParam<PeerError> {};

TEST_P(PeerErrors, are_not_exceeded) {
  const PeerError& peer = GetParam();
  const Format& format = *find_format(peer.format);
  const std::vector<float> importance = sample_importance();
  for (const bool heavy : {false, true}) {
    const std::vector<float> values = heavy ? heavy_weights() : normal_weights();
    EXPECT_LE(relative_error(values, round_trip(format, values), {}), (heavy ? peer.heavy : peer.normal) + rounding);
    const double weighted = relative_error(values, round_trip(format, values, importance), importance);
    EXPECT_LE(weighted, (heavy ? peer.heavy_weighted : peer.normal_weighted) + rounding);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PeerErrors, testing::ValuesIn(peer_errors),
                         [](const auto& one) { return std::string(one.param.format); });

class Writers : public testing::TestWithParam<Written> {
 protected:
  const Format& format() const { return *find_format(GetParam().format); }
};

TEST_P(Writers, every_instruction_set_writes_the_same_bits) {
  const std::vector<float> importance = sample_importance(512);
  std::vector<float> values = normal_weights(8 * 512);
  const std::vector<float> heavy = heavy_weights(8 * 512);
  values.insert(values.end(), heavy.begin(), heavy.end());
  for (const std::vector<float>& weights : {std::vector<float>{}, importance}) {
    const std::vector<std::byte> wanted = write(writers_scalar().*GetParam().writer, format(), values, weights);
    for (const Set& set : instruction_sets())
      EXPECT_EQ(write(set.table().*GetParam().writer, format(), values, weights), wanted) << set.name;
  }
}

// The slow twin of the writers that work on eight blocks at once; NaN and infinity included, for the cache may hold them.
template <class F>
void expect_writer_is_quantize() {
  if constexpr (requires(typename F::Block & block, const float* x) { F::quantize(x, block); }) {
    std::vector<float> values = heavy_weights(32 * 100);
    for (const float odd : {0.0F, -0.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 3e38F}) {
      for (std::size_t i = 0; i < 64; ++i) values[(i * 37) % values.size()] = i % 2 == 0 ? odd : -odd;
      values[160] = values[161] = 0.5F, values[176] = -0.5F;  // equals far from zero
      std::vector<typename F::Block> wanted(values.size() / F::weights);
      for (std::size_t i = 0; i < wanted.size(); ++i) F::quantize(values.data() + i * F::weights, wanted[i]);
      const auto* bytes = reinterpret_cast<const std::byte*>(wanted.data());
      const std::vector<std::byte> expected(bytes, bytes + wanted.size() * sizeof wanted[0]);
      const Format& format = *find_format(F::name);
      EXPECT_EQ(write(format.quantize, format, values, {}), expected) << F::name;
      for (const Written& written : all_written) {
        if (written.format != F::name) continue;
        for (const Set& set : instruction_sets())
          EXPECT_EQ(write(set.table().*written.writer, format, values, {}), expected) << F::name << " " << set.name;
      }
    }
  }
}

TEST(CacheWriters, give_what_one_block_at_a_time_gives) {
#define QN_EXPECT(F) expect_writer_is_quantize<F>();
  QN_QUANT_FORMATS(QN_EXPECT)
#undef QN_EXPECT
}

TEST_P(Writers, a_block_does_not_depend_on_its_neighbours) {
  const std::vector<float> values = heavy_weights(2816), importance = sample_importance(2816);
  const std::vector<std::byte> together = write(format().quantize, format(), values, importance);
  std::vector<std::byte> apart(together.size());
  const auto weights = static_cast<std::size_t>(format().block_weights), bytes = static_cast<std::size_t>(format().block_bytes);
  for (std::size_t i = 0; i * weights < values.size(); ++i)
    format().quantize(values.data() + i * weights, importance.data() + i * weights, apart.data() + i * bytes, 1);
  EXPECT_EQ(together, apart);
}

TEST_P(Writers, importance_lowers_the_error_where_it_counts) {
  const std::vector<float> importance = sample_importance();
  for (const std::vector<float>& values : {normal_weights(), heavy_weights()}) {
    const double without = relative_error(values, round_trip(format(), values), importance);
    EXPECT_LT(relative_error(values, round_trip(format(), values, importance), importance), 0.995 * without);
  }
}

TEST_P(Writers, zeros_come_back_as_zeros) {
  for (const float zero : {0.0F, -0.0F})
    for (const float value : round_trip(format(), std::vector<float>(512, zero))) ASSERT_EQ(value, 0.0F);
}

TEST_P(Writers, one_value_everywhere_comes_back_close) {
  for (const float one : {1.0F, -1.0F, 0.01F, -300.0F})
    for (const float value : round_trip(format(), std::vector<float>(512, one))) ASSERT_NEAR(value / one, 1.0F, 0.21F);
}

TEST_P(Writers, importance_of_nothing_is_as_one_everywhere) {
  const std::vector<float> values = normal_weights(2048);
  EXPECT_EQ(round_trip(format(), values, std::vector<float>(512, 0.0F)), round_trip(format(), values, std::vector<float>(512, 1.0F)));
}

TEST_P(Writers, infinities_nans_and_denormals_are_written_the_same_everywhere) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float tiny = std::numeric_limits<float>::denorm_min();
  constexpr float huge = std::numeric_limits<float>::max();
  const auto check = [&](const std::vector<float>& values, const std::vector<float>& importance) {
    const std::vector<std::byte> wanted = write(writers_scalar().*GetParam().writer, format(), values, importance);
    const bool finite = !importance.empty() || !GetParam().plain_without_importance;
    for (const float value : read(format(), wanted)) ASSERT_TRUE(!finite || std::isfinite(value));
    for (const Set& set : instruction_sets())
      ASSERT_EQ(write(set.table().*GetParam().writer, format(), values, importance), wanted) << set.name;
  };
  for (const float odd : {infinity, -infinity, nan, -nan, tiny, -tiny, huge, -huge, 1e-20F, 65504.0F, 1e10F}) {
    std::vector<float> values = normal_weights(512);
    values[7] = odd;
    check(values, {});
    check(values, sample_importance(512));
    check(normal_weights(512), values);  // as an importance
    check(std::vector<float>(512, odd), {});
    std::fill(values.begin(), values.begin() + 250, odd);
    std::fill(values.begin() + 250, values.end(), -odd);
    check(values, {});
    check(values, values);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Writers, testing::ValuesIn(all_written), [](const auto& one) { return std::string(one.param.format); });

}  // namespace
}  // namespace qn::quant
