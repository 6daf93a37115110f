// Workers that run one job together. What is computed may not depend on how many there are: a job is split over rows or
// tokens by index, never over a sum.
// Invariant: one job at a time; run() returns when every worker is done with it.
#pragma once

#include <functional>
#include <memory>

namespace qn {

class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // at least 1; the caller of run() is one of them
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls job(worker) once for each worker in [0, size()). Every worker flushes denormals: the caller, who is worker 0, from then on.
  void run(const std::function<void(int worker)>& job);

  // Calls body(begin, end) over parts of [0, count), each at least `grain` long where that is possible.
  // Parts are handed out as workers become free.
  void parallel_for(int count, int grain, const std::function<void(int begin, int end)>& body);

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

// Cores this process may use: affinity mask and container quota, at least 1.
int usable_cores();

}  // namespace qn
