#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qn {
namespace {

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// How long a waiting worker looks before it sleeps: longer than the gap between two ops of a step, far shorter than a time slice.
constexpr int spins_before_sleep = 20'000;

}  // namespace

struct ThreadPool::Shared {
  // Job number << 32 | workers that have entered << 1 | open. A worker enters by adding to it, which fails once the job is closed.
  std::atomic<std::uint64_t> gate{0};
  std::atomic<std::uint32_t> left{0};  // workers that have entered and are done
  std::atomic<bool> stopping{false};
  std::atomic<int> sleeping{0};
  Job job{};
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> threads;
  bool oversubscribed = false;  // more workers than cores: spinning would keep the others from running

  static std::uint32_t number_of(std::uint64_t gate_value) { return static_cast<std::uint32_t>(gate_value >> 32); }

  void work(int worker) {
    flush_denormals();
    std::uint32_t seen = 0;
    for (;;) {
      wait_for_job(seen);
      if (stopping.load()) return;
      std::uint64_t now = gate.load();
      seen = number_of(now);
      while ((now & 1) != 0 && number_of(now) == seen) {
        if (!gate.compare_exchange_weak(now, now + 2)) continue;
        job.call(job.context, worker);
        left.fetch_add(1);
        break;
      }
    }
  }

  void wait_for_job(std::uint32_t seen) {
    const int spins = oversubscribed ? 0 : spins_before_sleep;
    for (int i = 0; i < spins; ++i) {
      if (number_of(gate.load()) != seen) return;
      relax();
    }
    std::unique_lock lock(mutex);
    sleeping.fetch_add(1);
    wake.wait(lock, [&] { return number_of(gate.load()) != seen; });
    sleeping.fetch_sub(1);
  }

  void open() {
    left.store(0);
    gate.store((std::uint64_t{number_of(gate.load())} + 1) << 32 | 1);
    // A worker counts itself as sleeping under the mutex before it looks at the gate once more, so it cannot miss this.
    if (sleeping.load() > 0) {
      const std::lock_guard lock(mutex);
      wake.notify_all();
    }
  }

  // Nobody enters from here on; waits for those who have.
  void close() {
    const auto entered = static_cast<std::uint32_t>(gate.fetch_and(~std::uint64_t{1})) >> 1;
    for (int spins = 0; left.load() != entered; ++spins) {
      if (oversubscribed || spins > spins_before_sleep) {
        std::this_thread::yield();
      } else {
        relax();
      }
    }
  }
};

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>()) {
  QN_CHECK(threads >= 1, "a pool has at least its caller");
  shared_->oversubscribed = threads > usable_cores();
  for (int worker = 1; worker < threads; ++worker) shared_->threads.emplace_back([this, worker] { shared_->work(worker); });
}

ThreadPool::~ThreadPool() {
  shared_->stopping = true;
  shared_->open();
  for (std::thread& thread : shared_->threads) thread.join();
}

int ThreadPool::size() const {
  return static_cast<int>(shared_->threads.size()) + 1;
}

void ThreadPool::run(Job job, bool worth_sharing) {
  flush_denormals();
  if (!worth_sharing || shared_->threads.empty()) return job.call(job.context, 0);
  shared_->job = job;
  shared_->open();
  job.call(job.context, 0);
  shared_->close();
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : static_cast<int>(std::thread::hardware_concurrency());
  // cgroup v2: "max 100000" or "<quota> <period>", both in microseconds.
  std::ifstream limit("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (limit >> quota >> period && quota != "max" && period > 0) {
    const double allowed = std::ceil(std::strtod(quota.c_str(), nullptr) / period);
    if (allowed >= 1) cores = std::min(cores, static_cast<int>(allowed));
  }
  return std::max(cores, 1);
}

}  // namespace qn
