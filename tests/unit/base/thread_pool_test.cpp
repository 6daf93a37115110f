#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace qn {
namespace {

TEST(ThreadPool, every_index_is_visited_once_for_any_number_of_workers) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int count : {0, 1, 7, 64, 1001}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      pool.for_parts(count, 4, [&](int worker, int begin, int end) {
        ASSERT_LT(worker, threads);
        for (int i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      for (auto& v : visits) ASSERT_EQ(v, 1);
    }
  }
}

TEST(ThreadPool, what_workers_wrote_is_seen_by_the_caller_over_many_small_jobs) {
  ThreadPool pool(3);
  std::vector<int> values(97, 0);  // plain ints: a missing wait shows as a wrong sum, and under ThreadSanitizer as a race
  for (int round = 0; round < 5000; ++round) {
    pool.for_parts(97, 1, [&](int, int begin, int end) {
      for (int i = begin; i < end; ++i) values[static_cast<std::size_t>(i)] += 1;
    });
  }
  EXPECT_EQ(values, std::vector<int>(97, 5000));
}

TEST(ThreadPool, a_worker_runs_one_part_at_a_time) {
  ThreadPool pool(4);
  std::atomic<int> inside[4] = {};
  pool.for_parts(1000, 1, [&](int worker, int, int) {
    EXPECT_EQ(inside[worker].fetch_add(1), 0);
    std::this_thread::yield();
    inside[worker].fetch_sub(1);
  });
}

TEST(ThreadPool, the_others_take_part_when_the_job_is_long) {
  ThreadPool pool(2);
  std::set<int> seen;
  std::mutex mutex;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  // Each part waits until a second worker has come, or for far longer than the kernel takes to schedule one.
  pool.for_parts(16, 1, [&](int worker, int, int) {
    for (bool both = false; !both && std::chrono::steady_clock::now() < give_up; std::this_thread::yield()) {
      const std::lock_guard lock(mutex);
      seen.insert(worker);
      both = seen.size() == 2;
    }
  });
  EXPECT_EQ(seen, (std::set<int>{0, 1}));
}

}  // namespace
}  // namespace qn
