// What sharing a job costs: the round trip of for_parts against the work in it.
//   empty/N      a job of N parts that do nothing, N threads: all of it is overhead
//   work_10us/N  every thread has 10 us of arithmetic to do: what the job takes beyond that is overhead
//   after_gap/N  the same job 200 us after the last one, as between two tokens
//   asleep/N     the same job 5 ms after the last one, when everyone sleeps
// Times are wall time; the median of repetitions is what to read (--benchmark_min_time=0.05 --benchmark_repetitions=9).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/thread_pool.h"

namespace {

using namespace qn;
using Clock = std::chrono::steady_clock;

// Arithmetic that takes about `us` microseconds on this machine: one chain of multiplications, so its time is its length.
class Work {
 public:
  explicit Work(double us) {
    double best = 1e9;
    for (int round = 0; round < 50; ++round) {
      const auto start = Clock::now();
      run(10'000);
      best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
    }
    steps_ = static_cast<int>(10'000 * us / best);
  }
  void run() const { run(steps_); }

 private:
  static void run(int steps) {
    double x = 1.0;
    for (int i = 0; i < steps; ++i) benchmark::DoNotOptimize(x = x * 1.0000001);
  }
  int steps_ = 1;
};

void empty(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  ThreadPool pool(threads);
  for (auto _ : state) pool.for_parts(threads, 1, [](int, int begin, int) { benchmark::DoNotOptimize(begin); });
}

void work(benchmark::State& state, double us, std::chrono::microseconds gap) {
  const int threads = static_cast<int>(state.range(0));
  ThreadPool pool(threads);
  const Work piece(us / 8);
  for (auto _ : state) {
    if (gap.count() > 1000) std::this_thread::sleep_for(gap);
    const auto ready = Clock::now() + gap;
    while (gap.count() > 0 && gap.count() <= 1000 && Clock::now() < ready) {
    }
    const auto start = Clock::now();
    pool.for_parts(threads * 8, 1, [&](int, int begin, int end) {
      for (int i = begin; i < end; ++i) piece.run();
    });
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
}

void thread_counts(benchmark::internal::Benchmark* one) {
  const int cores = usable_cores();
  for (const int threads : {1, 2, 4, 8, 16, 32, 64})
    if (threads < cores) one->Arg(threads);
  one->Arg(cores);
}

}  // namespace

BENCHMARK(empty)->Apply(thread_counts)->UseRealTime();
BENCHMARK_CAPTURE(work, work_10us, 10.0, std::chrono::microseconds(0))->Apply(thread_counts)->UseManualTime()->Iterations(2000);
BENCHMARK_CAPTURE(work, after_gap, 10.0, std::chrono::microseconds(200))->Apply(thread_counts)->UseManualTime()->Iterations(500);
BENCHMARK_CAPTURE(work, asleep, 10.0, std::chrono::microseconds(5000))->Apply(thread_counts)->UseManualTime()->Iterations(60);

BENCHMARK_MAIN();
