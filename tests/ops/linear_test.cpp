// linear(): every format on every instruction set gives the bits of ref, whatever the batch and the number of threads.
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <functional>
#include <limits>

#include "backend/cpu/kernels.h"
#include "support.h"

namespace qn::test {
namespace {

// One product with bias and residual, as a model does it.
std::vector<float> product(Backend& backend, const Encoded& weights, Matrix x) {
  const int rows = static_cast<int>(weights.tensor.rows);
  const auto weight = adopt(backend, weights, Use::matrix);
  const auto bias_values = encode_f32(random_matrix(1, rows, 77));
  const auto bias = adopt(backend, *bias_values, Use::vector);
  Matrix residual(x.rows, rows), y(x.rows, rows);
  for (int t = 0; t < x.rows; ++t)  // the same for a token in any batch: made from its own input
    for (int r = 0; r < rows; ++r) residual.tensor().row(t)[r] = x.tensor().row(t)[0] + static_cast<float>(r);
  const Tensor residual_tensor = residual.tensor();
  const Projection projection{weight.get(), bias.get(), &residual_tensor, y.tensor()};
  backend.ops().linear(x.tensor(), {&projection, 1});
  return y.values;
}

Matrix row_of(Matrix& x, int row) {
  Matrix one(1, x.columns);
  std::copy_n(x.tensor().row(row), x.columns, one.values.begin());
  return one;
}

class Linear : public ::testing::TestWithParam<Isa> {
 protected:
  Isa isa() const { return GetParam(); }

  // One test for all formats: a process for each format and promise would cost more than what it tests.
  void for_each_format(const std::function<void(const quant::Format&)>& promise) {
    for (const quant::Format& format : quant::formats()) {
      SCOPED_TRACE(format.name);
      promise(format);
      if (HasFatalFailure()) return;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(All, Linear, ::testing::ValuesIn(available_isas()), isa_name);

TEST_P(Linear, gives_the_bits_of_ref_for_every_shape) {
  for_each_format([&](const quant::Format& format) {
    const auto ref = make_ref_backend();
    const auto backend = cpu(isa());
    std::vector<int> widths = {256, 512, 1280};
    if (format.block_weights <= 32) widths.insert(widths.end(), {32, 96});
    if (format.kind == quant::Kind::plain) widths.insert(widths.end(), {1, 15, 17, 100});
    for (const int columns : widths)
      for (const int rows : {1, 5, 16, 17, 37})
        for (const int tokens : {1, 2, 3, 4, 5, 7, 33}) {
          if (tokens == 33 && rows * columns > 17 * 512) continue;
          const auto weights = random_weights(format, rows, columns, static_cast<std::uint64_t>(rows * 10000 + columns));
          const Matrix x = random_matrix(tokens, columns, static_cast<std::uint64_t>(tokens));
          ASSERT_TRUE(same(product(*backend, *weights, x), product(*ref, *weights, x)))
              << rows << " x " << columns << ", " << tokens << " tokens";
        }
  });
}

TEST_P(Linear, long_rows_and_many_tokens_give_the_bits_of_ref) {
  for_each_format([&](const quant::Format& format) {
    // More activations than are kept in the cache at once: tokens are taken in several rounds.
    const auto weights = random_weights(format, 3, 32768, 11);
    const Matrix x = random_matrix(27, 32768, 12);
    EXPECT_TRUE(same(product(*cpu(isa()), *weights, x), product(*make_ref_backend(), *weights, x)));
  });
}

TEST_P(Linear, threads_change_no_bit) {
  for_each_format([&](const quant::Format& format) {
    const auto weights = random_weights(format, 333, 512, 5);
    for (const int tokens : {1, 9}) {
      const Matrix x = random_matrix(tokens, 512, 6);
      const std::vector<float> alone = product(*cpu(isa(), 1), *weights, x);
      EXPECT_TRUE(same(product(*cpu(isa(), 2), *weights, x), alone));
      EXPECT_TRUE(same(product(*cpu(isa(), 3), *weights, x), alone));
    }
  });
}

TEST_P(Linear, a_token_alone_equals_the_token_in_a_batch) {
  for_each_format([&](const quant::Format& format) {
    const auto weights = random_weights(format, 50, 512, 7);
    const auto backend = cpu(isa(), 2);
    Matrix x = random_matrix(29, 512, 8);
    const std::vector<float> batch = product(*backend, *weights, x);
    for (int t = 0; t < x.rows; ++t) {
      const std::vector<float> alone = product(*backend, *weights, row_of(x, t));
      EXPECT_TRUE(same(alone, std::vector<float>(batch.begin() + t * 50, batch.begin() + (t + 1) * 50))) << "token " << t;
    }
  });
}

TEST_P(Linear, zeros_infinities_and_nans_in_the_input_give_the_bits_of_ref) {
  for_each_format([&](const quant::Format& format) {
    const auto weights = random_weights(format, 20, 512, 9);
    Matrix x = random_matrix(9, 512, 10);
    std::fill_n(x.tensor().row(0), 512, 0.0f);
    x.tensor().row(1)[300] = std::numeric_limits<float>::infinity();
    x.tensor().row(2)[5] = std::numeric_limits<float>::quiet_NaN();
    std::fill_n(x.tensor().row(3), 512, 1e-30f);
    std::fill_n(x.tensor().row(4), 512, 1e-32f);
    std::fill_n(x.tensor().row(5), 512, -1e-40f);
    for (int i = 0; i < 512; ++i) x.tensor().row(6)[i] = static_cast<float>(i % 255 - 127) + (i % 3 == 0 ? 0.5f : 0.0f);  // ties
    for (int i = 0; i < 512; ++i) x.tensor().row(7)[i] = i % 2 == 0 ? 3e38f : -3e38f;
    for (int i = 0; i < 512; ++i) x.tensor().row(8)[i] = std::bit_cast<float>(0x80000000u);
    EXPECT_TRUE(same(product(*cpu(isa()), *weights, x), product(*make_ref_backend(), *weights, x)));
  });
}

TEST_P(Linear, a_matrix_reads_the_file_and_a_vector_no_more) {
  const auto backend = cpu(isa());
  const auto matrix = encode_f32(random_matrix(40, 256, 13)), values = encode_f32(random_matrix(1, 40, 17));
  const auto weight = adopt(*backend, *matrix, Use::matrix), bias = adopt(*backend, *values, Use::vector);
  EXPECT_TRUE(weight->borrows_file);
  EXPECT_FALSE(bias->borrows_file);
  Matrix x = random_matrix(2, 256, 14), before(2, 40), after(2, 40), changed(2, 40);
  const auto run = [&](Matrix& y) {
    const Projection projection{weight.get(), bias.get(), nullptr, y.tensor()};
    backend->ops().linear(x.tensor(), {&projection, 1});
  };
  run(before);
  std::fill(values->bytes.begin(), values->bytes.end(), std::byte{0});
  run(after);
  EXPECT_TRUE(same(after.values, before.values));
  std::fill(matrix->bytes.begin(), matrix->bytes.end(), std::byte{0});
  run(changed);
  EXPECT_FALSE(same(changed.values, before.values));
}

TEST(LinearOnTiles, imitated_tiles_give_the_bits_of_ref) {
  if (usable_isa(Isa::avx512) != Isa::avx512) GTEST_SKIP() << "the other kernels of amx are those of avx512, which this machine lacks";
  const auto backend = make_cpu_backend({.threads = 1, .kernels = &qn::cpu::kernels_amx_imitated()});
  for (const quant::Format& format : quant::formats()) {
    SCOPED_TRACE(format.name);
    for (const int columns : {256, 2304})
      for (const int tokens : {8, 16, 37}) {
        const auto weights = random_weights(format, 37, columns, 18);
        const Matrix x = random_matrix(tokens, columns, 19);
        ASSERT_TRUE(same(product(*backend, *weights, x), product(*make_ref_backend(), *weights, x))) << columns << " columns, " << tokens;
      }
  }
}

// A tensor between two pages that nobody may touch, at the end and at the beginning of what lies between them.
class Guarded {
 public:
  explicit Guarded(const Encoded& weights) : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    const std::size_t inner = (weights.bytes.size() + page_ - 1) / page_ * page_;
    size_ = inner + 2 * page_;
    map_ = static_cast<std::byte*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    first_ = map_ + page_;
    last_ = map_ + page_ + inner - weights.bytes.size();
    ::mprotect(map_, page_, PROT_NONE);
    ::mprotect(map_ + page_ + inner, page_, PROT_NONE);
  }
  ~Guarded() { ::munmap(map_, size_); }
  Encoded at(bool end, const Encoded& weights) {
    std::byte* to = end ? last_ : first_;
    std::memcpy(to, weights.bytes.data(), weights.bytes.size());
    Encoded moved;
    moved.tensor = weights.tensor;
    moved.tensor.bytes = {to, weights.bytes.size()};
    return moved;
  }

 private:
  std::size_t page_, size_;
  std::byte *map_, *first_, *last_;
};

TEST_P(Linear, reads_nothing_outside_the_tensor) {
  for_each_format([&](const quant::Format& format) {
    for (const int rows : {16, 21, 32})
      for (const int columns : {256, 768}) {
        const auto weights = random_weights(format, rows, columns, 15);
        Guarded memory(*weights);
        for (const bool end : {false, true})
          for (const int tokens : {1, 4, 7}) {
            const Encoded moved = memory.at(end, *weights);
            const Matrix x = random_matrix(tokens, columns, 16);
            EXPECT_TRUE(same(product(*cpu(isa()), moved, x), product(*cpu(isa()), *weights, x)));
          }
      }
  });
}

class LinearTogether : public ::testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(All, LinearTogether, ::testing::ValuesIn(available_isas()), isa_name);

TEST_P(LinearTogether, projections_of_different_formats_share_an_input) {
  const auto backend = cpu(GetParam(), 2);
  const auto ref = make_ref_backend();
  const auto q = random_weights(*quant::find_format("Q4_K"), 100, 256, 1);
  const auto k = random_weights(*quant::find_format("Q8_0"), 30, 256, 2);
  const auto v = random_weights(*quant::find_format("F16"), 31, 256, 3);
  Matrix x = random_matrix(5, 256, 4);
  const auto all = [&](Backend& b) {
    const auto wq = adopt(b, *q, Use::matrix), wk = adopt(b, *k, Use::matrix), wv = adopt(b, *v, Use::both);
    Matrix yq(5, 100), yk(5, 30), yv(5, 31);
    const Projection projections[] = {
        {wq.get(), nullptr, nullptr, yq.tensor()}, {wk.get(), nullptr, nullptr, yk.tensor()}, {wv.get(), nullptr, nullptr, yv.tensor()}};
    b.ops().linear(x.tensor(), projections);
    yq.values.insert(yq.values.end(), yk.values.begin(), yk.values.end());
    yq.values.insert(yq.values.end(), yv.values.begin(), yv.values.end());
    return yq.values;
  };
  EXPECT_TRUE(same(all(*backend), all(*ref)));
}

TEST_P(LinearTogether, the_residual_may_be_the_output_itself) {
  const auto weights = random_weights(*quant::find_format("Q6_K"), 40, 256, 1);
  Matrix x = random_matrix(7, 256, 2);
  const auto in_place = [&](Backend& b) {
    const auto weight = adopt(b, *weights, Use::matrix);
    Matrix y = random_matrix(7, 40, 3);
    const Tensor out = y.tensor();
    const Projection projection{weight.get(), nullptr, &out, out};
    b.ops().linear(x.tensor(), {&projection, 1});
    return y.values;
  };
  EXPECT_TRUE(same(in_place(*cpu(GetParam(), 2)), in_place(*make_ref_backend())));
}

TEST_P(LinearTogether, a_tail_is_not_filled_up_with_zeros) {
  // Products that vanish below zero leave -0 in every lane; adding the +0 of a padded lane would show.
  for (const int columns : {15, 31, 33}) {
    Matrix values(20, columns), x(5, columns);
    std::fill(values.values.begin(), values.values.end(), 1e-30f);
    std::fill(x.values.begin(), x.values.end(), -1e-30f);
    const auto weights = encode_f32(values);
    const auto run = [&](Backend& b) {
      const auto weight = adopt(b, *weights, Use::matrix);
      Matrix y(5, 20);
      const Projection projection{weight.get(), nullptr, nullptr, y.tensor()};
      b.ops().linear(x.tensor(), {&projection, 1});
      return y.values;
    };
    EXPECT_TRUE(same(run(*cpu(GetParam())), run(*make_ref_backend()))) << columns << " columns";
  }
}

TEST_P(LinearTogether, a_quantized_product_is_near_the_product_of_the_floats) {
  const int rows = 16, columns = 1024;
  const auto backend = cpu(GetParam());
  for (const quant::Format& format : quant::formats()) {
    const auto weights = random_weights(format, rows, columns, 1);
    Matrix x = random_matrix(1, columns, 2);
    const auto weight = adopt(*backend, *weights, Use::matrix);
    Matrix y(1, rows);
    const Projection projection{weight.get(), nullptr, nullptr, y.tensor()};
    backend->ops().linear(x.tensor(), {&projection, 1});
    std::vector<float> decoded(static_cast<std::size_t>(rows) * columns);
    format.dequantize(weights->bytes.data(), decoded.data(), decoded.size() / static_cast<std::size_t>(format.block_weights));
    for (int r = 0; r < rows; ++r) {
      double wanted = 0, size = 0;
      for (int i = 0; i < columns; ++i) {
        const double term = static_cast<double>(decoded[static_cast<std::size_t>(r * columns + i)]) * x.values[static_cast<std::size_t>(i)];
        wanted += term;
        size += term * term;
      }
      // int8 activations: rounding of 1/254 of a block's largest, here up to 100 times the rest; errors add like a random walk.
      EXPECT_NEAR(y.values[static_cast<std::size_t>(r)], wanted, 0.3 * std::sqrt(size) + 1e-6) << format.name;
    }
  }
}

}  // namespace
}  // namespace qn::test
