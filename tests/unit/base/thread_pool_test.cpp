#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace qn {
namespace {

TEST(ThreadPool, every_index_is_visited_once_for_any_number_of_workers) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int count : {0, 1, 7, 64, 1001}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      pool.parallel_for(count, 4, [&](int begin, int end) {
        for (int i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      for (auto& v : visits) ASSERT_EQ(v, 1);
    }
  }
}

TEST(ThreadPool, a_thousand_small_jobs_all_run_on_every_worker) {
  ThreadPool pool(3);
  std::atomic<int> calls{0};
  for (int i = 0; i < 1000; ++i) pool.run([&](int) { ++calls; });
  EXPECT_EQ(calls, 3000);
}

}  // namespace
}  // namespace qn
