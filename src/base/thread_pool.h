// Workers that share a job by taking parts of a range. What is computed may not depend on how many there are or who takes what: a job is
// split over rows or tokens by index, never over a sum.
// Invariant: one job at a time. The caller does what nobody else takes, and waits only for workers that have begun: one that the
// kernel has not scheduled costs nothing, so a busy machine is slow and not stuck.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

namespace qn {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // at least 1; the caller of for_parts() is one of them
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // body(worker, begin, end) over parts of [0, count), each at least `grain` long where that is possible. `worker` is in [0, size()) and
  // runs one part at a time, so it may index scratch memory. Every worker flushes denormals: the caller, who is worker 0, from then on.
  template <class Body>
  void for_parts(int count, int grain, const Body& body) {
    // Eight parts for each worker: enough that one who comes late or is held up leaves little undone.
    const int part = std::max({grain, (count + size() * 8 - 1) / (size() * 8), 1});
    std::atomic<int> next{0};
    const auto take = [&](int worker) {
      for (int begin = next.fetch_add(part); begin < count; begin = next.fetch_add(part))
        body(worker, begin, std::min(count, begin + part));
    };
    run(Job{[](const void* context, int worker) { (*static_cast<const decltype(take)*>(context))(worker); }, &take}, count > part);
  }

 private:
  struct Job {
    void (*call)(const void* context, int worker);
    const void* context;
  };
  struct Shared;

  // Calls job(0) here, and job(worker) on every other worker that comes before that is done.
  void run(Job job, bool worth_sharing);

  std::unique_ptr<Shared> shared_;
};

// Cores this process may use: affinity mask and container quota, at least 1.
int usable_cores();

}  // namespace qn
