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
  std::atomic<std::uint64_t> job_number{0};  // rises by one for each job
  std::atomic<int> busy{0};                  // workers that have not finished the present job
  std::atomic<bool> stopping{false};
  std::atomic<int> sleeping{0};
  const std::function<void(int)>* job = nullptr;
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<std::thread> threads;
  bool oversubscribed = false;  // more workers than cores: spinning would keep the others from running

  void work(int worker) {
    flush_denormals();
    std::uint64_t seen = 0;
    for (;;) {
      wait_for_job(seen);
      if (stopping.load(std::memory_order_relaxed)) return;
      ++seen;
      (*job)(worker);
      busy.fetch_sub(1, std::memory_order_release);
    }
  }

  void wait_for_job(std::uint64_t seen) {
    const int spins = oversubscribed ? 0 : spins_before_sleep;
    for (int i = 0; i < spins; ++i) {
      if (job_number.load(std::memory_order_acquire) != seen) return;
      relax();
    }
    std::unique_lock lock(mutex);
    sleeping.fetch_add(1);
    wake.wait(lock, [&] { return job_number.load() != seen; });
    sleeping.fetch_sub(1);
  }

  void publish() {
    job_number.fetch_add(1);
    // A worker counts itself as sleeping under the mutex before it looks at job_number once more, so it cannot miss this.
    if (sleeping.load() > 0) {
      const std::lock_guard lock(mutex);
      wake.notify_all();
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
  shared_->publish();
  for (std::thread& thread : shared_->threads) thread.join();
}

int ThreadPool::size() const {
  return static_cast<int>(shared_->threads.size()) + 1;
}

void ThreadPool::run(const std::function<void(int)>& job) {
  flush_denormals();
  const int others = size() - 1;
  if (others > 0) {
    shared_->job = &job;
    shared_->busy.store(others, std::memory_order_relaxed);
    shared_->publish();
  }
  job(0);
  for (int spins = 0; shared_->busy.load(std::memory_order_acquire) != 0; ++spins) {
    if (shared_->oversubscribed || spins > spins_before_sleep) {
      std::this_thread::yield();
    } else {
      relax();
    }
  }
}

void ThreadPool::parallel_for(int count, int grain, const std::function<void(int, int)>& body) {
  if (count <= 0) return;
  const int part = std::max(grain, (count + size() * 8 - 1) / (size() * 8));
  if (size() == 1 || count <= part) {
    flush_denormals();
    body(0, count);
    return;
  }
  std::atomic<int> next{0};
  run([&](int) {
    for (int begin = next.fetch_add(part); begin < count; begin = next.fetch_add(part)) body(begin, std::min(count, begin + part));
  });
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
