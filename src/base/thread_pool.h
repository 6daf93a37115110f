// Workers that share a job by taking parts of a range. What is computed may not depend on how many there are or who takes what: a job is
// split over rows or tokens by index, never over a sum.
// Each worker begins with a share of its own, the same in every job of the same shape, so that it meets the same rows of a weight again
// (its caches, its NUMA node); whoever is done early takes parts from the others.
// Invariant: one job at a time. The caller does what nobody else takes, and waits only for workers that have begun: one that the
// kernel has not scheduled costs nothing, so a busy machine is slow and not stuck.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "base/thread_place.h"
#include "base/usable_cpus.h"

namespace qn {

struct PoolOptions {
  int threads = 1;                       // 1 to most_threads; the caller of for_parts() is one of them
  std::vector<std::vector<int>> places;  // worker w runs on the CPUs places[w % size]; empty: where the kernel likes
  Priority priority = Priority::normal;  // of every worker
  std::chrono::microseconds spin{500};   // how long one who waits looks before it sleeps; none where there are more workers than CPUs
  static constexpr int most_threads = 4096;
};

class ThreadPool {
 public:
  explicit ThreadPool(const PoolOptions& options);
  explicit ThreadPool(int threads) : ThreadPool(PoolOptions{.threads = threads}) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // From the thread that calls for_parts(), between jobs.
  void use(int threads);  // jobs from here on are shared by so many of the workers, in [1, size()]
  void enlist();          // this thread takes the place and priority of worker 0 for good, and sleepers wake up: jobs are coming

  // body(worker, begin, end) over parts of [0, count), each at least `grain` long where that is possible. `worker` is in [0, size()) and
  // runs one part at a time, so it may index scratch memory. Every worker flushes denormals: the caller, who is worker 0, from then on.
  template <class Body>
  void for_parts(int count, int grain, const Body& body) {
    run({[](const void* context, int worker, int begin, int end) { (*static_cast<const Body*>(context))(worker, begin, end); }, &body,
         count},
        grain);
  }

 private:
  struct Job {
    void (*call)(const void* context, int worker, int begin, int end);
    const void* context;
    int count;
    int part = 0;   // length of all parts but the last
    int parts = 0;  // worker w of N begins with the parts [w * parts / N, (w + 1) * parts / N)
  };
  struct Shared;

  void run(Job job, int grain);

  std::unique_ptr<Shared> shared_;
};

}  // namespace qn
