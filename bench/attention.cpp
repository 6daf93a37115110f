// The cpu backend's attention against the limits of the machine, measured in the same run.
//   decode/SHAPE/TYPE/DEPTH       one token of one sequence through every layer: GB/s of keys and values, percent of the read bandwidth
//   prompt/SHAPE/TYPE/ROWS@DEPTH  a prompt through one layer: Gop/s (two operations per multiply-add, keys that are seen only), percent of
//                                 the f32 multiply-add peak
//   store/SHAPE/TYPE/ROWS         rotate_and_store of a prompt through one layer
// Threads: QN_BENCH_THREADS, or every core. QN_FORCE_ISA picks the instruction set.
#include <benchmark/benchmark.h>
#include <fmt/core.h>
#include <time.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "backend/cpu/cpu_backend.h"
#include "base/thread_pool.h"

namespace {

using namespace qn;

int threads() {
  const char* wanted = std::getenv("QN_BENCH_THREADS");
  return wanted != nullptr ? std::max(1, std::atoi(wanted)) : usable_cores();
}

// Seconds from some moment on: this thread's own where it is the only one, as in the benchmarks.
double now() {
  timespec t{};
  ::clock_gettime(threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
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
    best = std::max(best, static_cast<double>(words.size() * 8) / (now() - start));
  }
  return best;
}

constexpr int chains = 16;  // of dependent multiply-adds: more than latency times width
constexpr int links = 1 << 20;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float multiply_add_512() {
  __m512 sum[chains];
#pragma GCC unroll 16
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1.0f);
  for (int n = 0; n < links; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], a, b);
#pragma GCC unroll 16
    for (int i = 0; i < chains; ++i) asm volatile("" : "+v"(sum[i]));
  }
  float all = 0;
#pragma GCC unroll 16
  for (int i = 0; i < chains; ++i) all += _mm512_cvtss_f32(sum[i]);
  return all;
}

__attribute__((target("avx2,fma"))) float multiply_add_256() {
  __m256 sum[chains - 4];
#pragma GCC unroll 16
  for (int i = 0; i < chains - 4; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1.0f);
  for (int n = 0; n < links; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < chains - 4; ++i) sum[i] = _mm256_fmadd_ps(sum[i], a, b);
#pragma GCC unroll 16
    for (int i = 0; i < chains - 4; ++i) asm volatile("" : "+x"(sum[i]));
  }
  float all = 0;
#pragma GCC unroll 16
  for (int i = 0; i < chains - 4; ++i) all += _mm256_cvtss_f32(sum[i]);
  return all;
}
#endif

// f32 multiply-adds per second of all threads, times two; the best of five. 0 where the instruction set has no fused kind.
double multiply_add_peak() {
#if defined(__x86_64__)
  const Isa isa = best_isa();
  if (isa == Isa::scalar) return 0;
  ThreadPool pool(threads());
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double start = now();
    pool.for_parts(threads(), 1, [&](int, int begin, int end) {
      for (int i = begin; i < end; ++i) benchmark::DoNotOptimize(isa == Isa::avx512 ? multiply_add_512() : multiply_add_256());
    });
    const double lanes = isa == Isa::avx512 ? 16 * chains : 8 * (chains - 4);
    best = std::max(best, 2.0 * links * lanes * threads() / (now() - start));
  }
  return best;
#else
  return 0;
#endif
}

struct Shape {
  const char* name;
  int heads, kv_heads, head, layers;
};
constexpr Shape shapes[] = {{"1.5b", 12, 2, 128, 28}, {"7b", 28, 4, 128, 28}, {"qwen3-8b", 32, 8, 128, 36}, {"0.5b", 14, 2, 64, 24}};

constexpr int page_tokens = 32;

// Pools of `layers` layers that hold `tokens` tokens, every page filled with the same random rows.
struct Cache {
  std::vector<std::unique_ptr<Buffer>> memory;
  std::vector<KvPool> layers;
  std::vector<PageId> pages;

  Cache(Backend& backend, const Shape& shape, const quant::Format& keys, const quant::Format& values, int tokens, int layer_count) {
    const int count = (tokens + page_tokens - 1) / page_tokens;
    for (int i = 0; i < count; ++i) pages.push_back({static_cast<std::uint32_t>(i)});
    for (int l = 0; l < layer_count; ++l) {
      KvPool pool{nullptr, nullptr, &keys, &values, count, page_tokens, shape.kv_heads, shape.head};
      pool.keys = fill(backend, keys, shape, pool.key_page_bytes(), count);
      pool.values = fill(backend, values, shape, pool.value_page_bytes(), count);
      layers.push_back(pool);
    }
  }

 private:
  std::byte* fill(Backend& backend, const quant::Format& format, const Shape& shape, std::size_t page_bytes, int count) {
    memory.push_back(std::move(*backend.allocate(page_bytes * static_cast<std::size_t>(count))));
    std::byte* data = memory.back()->data;
    std::vector<float> row(static_cast<std::size_t>(shape.head));
    std::uint64_t state = 88172645463325252u;
    for (std::byte* at = data; at < data + page_bytes; at += format.row_bytes(shape.head)) {
      for (float& x : row) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        x = static_cast<float>(state >> 40) * 0x1p-23f - 1;
      }
      format.quantize(row.data(), nullptr, at, static_cast<std::size_t>(shape.head / format.block_weights));
    }
    for (int i = 1; i < count; ++i) std::memcpy(data + page_bytes * static_cast<std::size_t>(i), data, page_bytes);
    return data;
  }
};

struct Activations {
  std::vector<float> values;
  Tensor tensor;
  Activations(int rows, int columns) : values(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7919 % 201) * 0.01f - 1;
    tensor = {reinterpret_cast<std::byte*>(values.data()), Element::f32, rows, columns};
  }
};

void attend(benchmark::State& state, const Shape& shape, const quant::Format& keys, const quant::Format& values, int rows, int depth,
            int layers) {
  const auto backend = make_cpu_backend({threads(), best_isa()});
  Cache cache(*backend, shape, keys, values, depth + rows, layers);
  Activations q(rows, shape.heads * shape.head), out = q;
  out.tensor.data = reinterpret_cast<std::byte*>(out.values.data());
  const SequenceRows sequence{0, rows, depth, cache.pages};
  const auto plan = backend->ops().plan_attention({&sequence, 1}, page_tokens);
  const AttendArgs args{q.tensor, out.tensor, 1 / std::sqrt(static_cast<float>(shape.head)), 0};
  const double bandwidth = read_bandwidth(), peak = multiply_add_peak();
  for (auto _ : state)
    for (const KvPool& pool : cache.layers) backend->ops().attend(*plan, args, pool);
  const double times = static_cast<double>(state.iterations()) * layers;
  const double seen = rows * (depth + 0.5 * (rows + 1));  // keys
  const double bytes = (depth + rows) * static_cast<double>(shape.kv_heads) *
                       static_cast<double>(keys.row_bytes(shape.head) + values.row_bytes(shape.head)) * times;
  const double operations = 4.0 * seen * shape.heads * shape.head * times;
  const auto rate = benchmark::Counter::kIsRate;
  if (rows == 1) {
    state.counters["GB/s"] = benchmark::Counter(bytes * 1e-9, rate);
    state.counters["%read"] = benchmark::Counter(100 * bytes / bandwidth, rate);
  }
  state.counters["Gop/s"] = benchmark::Counter(operations * 1e-9, rate);
  if (peak > 0) state.counters["%fma"] = benchmark::Counter(100 * operations / peak, rate);
}

void store(benchmark::State& state, const Shape& shape, const quant::Format& format, int rows) {
  const auto backend = make_cpu_backend({threads(), best_isa()});
  Cache cache(*backend, shape, format, format, rows, 1);
  Activations q(rows, shape.heads * shape.head), k(rows, shape.kv_heads * shape.head), v(rows, shape.kv_heads * shape.head);
  Activations cos_sin(rows, shape.head);
  std::fill(cos_sin.values.begin(), cos_sin.values.end(), 0.7071f);
  const RopeTable rope{RopeLayout::halves, shape.head, cos_sin.tensor};
  const SequenceRows sequence{0, rows, 0, cache.pages};
  const auto plan = backend->ops().plan_attention({&sequence, 1}, page_tokens);
  for (auto _ : state) backend->ops().rotate_and_store(*plan, {q.tensor, k.tensor, v.tensor, nullptr, nullptr, 0, &rope}, cache.layers[0]);
  state.counters["tokens/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * rows, benchmark::Counter::kIsRate);
}

}  // namespace

int main(int argc, char** argv) {
  fmt::print("{}; read bandwidth {:.1f} GB/s; f32 multiply-add {:.0f} Gop/s\n", make_cpu_backend({threads(), best_isa()})->info().name,
             read_bandwidth() * 1e-9, multiply_add_peak() * 1e-9);
  // One thread by its own CPU time, which neighbours on the machine do not change; more by the clock on the wall.
  const auto add = [](const std::string& name, auto body) {
    benchmark::internal::Benchmark* const made = benchmark::RegisterBenchmark(name.c_str(), body)->Unit(benchmark::kMillisecond);
    if (threads() > 1) made->UseRealTime();
  };
  for (const Shape& shape : shapes)
    for (const char* type : {"F16", "BF16", "F32", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL"}) {
      const quant::Format& format = *quant::find_format(std::string_view(type));
      const auto name = [&](const char* what, const std::string& size) { return fmt::format("{}/{}/{}/{}", what, shape.name, type, size); };
      for (const int depth : {1000, 4096, 16384})
        add(name("decode", std::to_string(depth)),
            [&shape, &format, depth](benchmark::State& s) { attend(s, shape, format, format, 1, depth, shape.layers); });
      for (const auto& [rows, depth] : {std::pair{512, 0}, {2048, 0}, {512, 4096}, {8, 4096}, {1, 255}})
        add(name("prompt", fmt::format("{}@{}", rows, depth)),
            [&shape, &format, r = rows, d = depth](benchmark::State& s) { attend(s, shape, format, format, r, d, 1); });
      add(name("store", "512"), [&shape, &format](benchmark::State& s) { store(s, shape, format, 512); });
    }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
