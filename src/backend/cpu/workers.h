// The thread pool as kernels use it: parts of a range, handed out as workers become free, each told which worker runs it so that it
// finds its scratch memory. Results never depend on how a range was cut.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>

#include "base/cpu_features.h"
#include "base/thread_pool.h"

namespace qn::cpu {

class Workers {
 public:
  explicit Workers(int threads) : pool_(threads) {}

  int size() const { return pool_.size(); }

  // body(worker, begin, end) over parts of [0, count), each at least `grain` long where that is possible.
  template <class Body>
  void for_parts(int count, int grain, const Body& body) {
    const int parts_of_each = 8;
    const int part = std::max({grain, (count + size() * parts_of_each - 1) / (size() * parts_of_each), 1});
    if (size() == 1 || count <= part) {
      flush_denormals();
      if (count > 0) body(0, 0, count);
      return;
    }
    std::atomic<int> next{0};
    const auto job = [&](int worker) {
      for (int begin = next.fetch_add(part); begin < count; begin = next.fetch_add(part))
        body(worker, begin, std::min(count, begin + part));
    };
    pool_.run(std::cref(job));  // by reference: a copy of the captures would be allocated
  }

 private:
  ThreadPool pool_;
};

}  // namespace qn::cpu
