// The cpu backend's products against the limit of the machine, measured in the same run.
//   gemv   one token: GB/s of weights as they lie in the file, and percent of the read bandwidth measured beside it
//   gemm   512 tokens: Gop/s (two operations per multiply-add)
// Threads: QN_BENCH_THREADS, or every core. QN_FORCE_ISA picks the instruction set.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "base/thread_pool.h"

namespace {

using namespace qn;

int threads() {
  const char* wanted = std::getenv("QN_BENCH_THREADS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : usable_cores();
}

// Seconds; of this thread's own processor time where it works alone, so that what else runs disturbs less.
double now() {
  timespec time{};
  clock_gettime(threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Bytes per second of a plain sum over 512 MiB; the best of three.
double read_bandwidth() {
  static const std::vector<std::uint64_t> words((std::size_t{512} << 20) / 8, 1);
  ThreadPool pool(threads());
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const double start = now();
    std::atomic<std::uint64_t> total{0};
    constexpr std::size_t words_a_mib = (std::size_t{1} << 20) / 8;
    pool.for_parts(512, 1, [&](int, int begin, int end) {
      const std::uint64_t* p = words.data() + static_cast<std::size_t>(begin) * words_a_mib;
      const std::size_t part = static_cast<std::size_t>(end - begin) * words_a_mib;
      std::uint64_t sum[32] = {};
      for (std::size_t i = 0; i < part; i += 32) {
        __builtin_prefetch(p + i + 512);
        for (std::size_t j = 0; j < 32; ++j) sum[j] += p[i + j];
      }
      for (const std::uint64_t s : sum) total += s;
    });
    benchmark::DoNotOptimize(total.load());
    const double seconds = now() - start;
    best = std::max(best, static_cast<double>(words.size() * 8) / seconds);
  }
  return best;
}

struct Matrix {
  std::vector<std::byte> bytes;
  quant::EncodedTensor tensor;
};

// Small finite values: one row of random blocks, repeated.
Matrix weights(const quant::Format& format, int rows, int columns) {
  Matrix m;
  const std::size_t row_bytes = format.row_bytes(columns);
  m.bytes.resize(row_bytes * static_cast<std::size_t>(rows));
  std::vector<float> values(static_cast<std::size_t>(format.block_weights));
  std::uint64_t state = 88172645463325252u;
  for (std::size_t at = 0; at < row_bytes; at += static_cast<std::size_t>(format.block_bytes))
    for (bool good = false; !good;) {
      for (int i = 0; i < format.block_bytes; ++i) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        m.bytes[at + static_cast<std::size_t>(i)] = static_cast<std::byte>(state >> 24);
      }
      format.dequantize(m.bytes.data() + at, values.data(), 1);
      good = true;
      for (const float value : values) good = good && value > -1000.0f && value < 1000.0f;
    }
  for (std::size_t at = row_bytes; at < m.bytes.size(); at += row_bytes) std::memcpy(m.bytes.data() + at, m.bytes.data(), row_bytes);
  m.tensor = {"bench.weight", &format, rows, columns, m.bytes};
  return m;
}

void product(benchmark::State& state, const quant::Format& format, int rows, int columns, int tokens) {
  const Matrix matrix = weights(format, rows, columns);
  const auto backend = make_cpu_backend({threads(), best_isa()});
  const auto weight = backend->adopt(matrix.tensor, Use::matrix);
  std::vector<float> x(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(columns));
  std::vector<float> y(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7919 % 201) * 0.01f - 1;
  const Tensor input{reinterpret_cast<std::byte*>(x.data()), Element::f32, tokens, columns};
  const Projection projection{weight->get(), nullptr, nullptr, {reinterpret_cast<std::byte*>(y.data()), Element::f32, tokens, rows}};
  const double bandwidth = read_bandwidth();
  for (auto _ : state) backend->ops().linear(input, {&projection, 1});
  const double times = static_cast<double>(state.iterations());
  const double bytes = static_cast<double>(matrix.bytes.size()) * times;
  if (tokens < 8) {
    state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, benchmark::Counter::kIsRate);
    state.counters["%read"] = benchmark::Counter(100 * bytes / bandwidth, benchmark::Counter::kIsRate);
  }
  state.counters["Gop/s"] = benchmark::Counter(2e-9 * rows * static_cast<double>(columns) * tokens * times, benchmark::Counter::kIsRate);
}

}  // namespace

int main(int argc, char** argv) {
  fmt::print("{}; read bandwidth {:.1f} GB/s\n", make_cpu_backend({threads(), best_isa()})->info().name, read_bandwidth() * 1e-9);
  struct Shape {
    const char* name;
    int rows, columns, tokens;
  };
  // Matrices far larger than a last-level cache for few tokens; those of a 1.5B model's feed-forward for many.
  static constexpr Shape shapes[] = {{"gemv", 131072, 1536, 1},     {"cached", 512, 1536, 1},   {"cached4", 512, 1536, 4},
                                     {"gemv_long", 24576, 8960, 1}, {"gemv4", 131072, 1536, 4}, {"gemm8", 131072, 1536, 8},
                                     {"gemm20", 131072, 1536, 20},  {"gemm", 8960, 1536, 512},  {"gemm_long", 1536, 8960, 512}};
  for (const quant::Format& format : quant::formats())
    for (const Shape& shape : shapes) {
      auto* one = benchmark::RegisterBenchmark(fmt::format("{}/{}", shape.name, format.name).c_str(),
                                               [&](benchmark::State& s) { product(s, format, shape.rows, shape.columns, shape.tokens); });
      if (threads() > 1) one->UseRealTime();
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
