#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace qn {
namespace {

using Clock = std::chrono::steady_clock;

// Waits inside a part until `count` workers are in the job, or for far longer than the kernel takes to schedule one.
class Meeting {
 public:
  explicit Meeting(int count) : missing_(count) {}
  bool attend() {
    missing_.fetch_sub(1);
    while (missing_.load() > 0 && Clock::now() < give_up_) std::this_thread::yield();
    return missing_.load() <= 0;
  }

 private:
  std::atomic<int> missing_;
  Clock::time_point give_up_ = Clock::now() + std::chrono::seconds(20);
};

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Seconds that `jobs` jobs of 256 parts take, each part about 2 us of arithmetic.
double seconds_of_jobs(ThreadPool& pool, int jobs) {
  const auto start = Clock::now();
  std::atomic<std::uint64_t> sink{0};
  for (int job = 0; job < jobs; ++job)
    pool.for_parts(256, 1, [&](int, int begin, int end) {
      std::uint64_t x = static_cast<std::uint64_t>(begin);
      for (int i = 0; i < (end - begin) * 1500; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
      sink.fetch_add(x, std::memory_order_relaxed);
    });
  return std::chrono::duration<double>(Clock::now() - start).count();
}

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

TEST(ThreadPool, every_worker_begins_with_its_own_share) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> first[3] = {-1, -1, -1};
    Meeting all(3);
    std::atomic<bool> met{true};
    pool.for_parts(48, 1, [&](int worker, int begin, int) {
      int none = -1;
      if (first[worker].compare_exchange_strong(none, begin) && !all.attend()) met = false;
    });
    ASSERT_TRUE(met);
    EXPECT_EQ(first[0], 0);
    EXPECT_EQ(first[1], 16);
    EXPECT_EQ(first[2], 32);
  }
}

TEST(ThreadPool, a_job_is_shared_by_as_many_workers_as_it_was_told) {
  ThreadPool pool(4);
  for (const int sharers : {1, 3, 2, 4, 2}) {
    pool.use(sharers);
    std::set<int> seen;
    std::mutex mutex;
    Meeting all(sharers);
    std::atomic<bool> met{true};
    pool.for_parts(64, 1, [&](int worker, int, int) {
      {
        const std::lock_guard lock(mutex);
        if (!seen.insert(worker).second) return;
      }
      if (!all.attend()) met = false;
    });
    EXPECT_TRUE(met) << sharers;
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(sharers));
    EXPECT_LT(*seen.rbegin(), sharers);
  }
}

TEST(ThreadPool, workers_with_nothing_to_do_use_no_processor_time) {
  ThreadPool pool(usable_cores() + 2);
  seconds_of_jobs(pool, 10);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // longer than they look for work
  const double before = processor_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(processor_seconds() - before, 0.01);
}

TEST(ThreadPool, many_workers_on_one_cpu_take_turns) {
  const int cpu = allowed_cpus().front();
  std::thread([&] {
    ThreadPool alone(PoolOptions{.threads = 1, .places = {{cpu}}});
    ThreadPool pool(PoolOptions{.threads = 6, .places = {{cpu}}});
    alone.enlist();
    pool.enlist();
    const double single = seconds_of_jobs(alone, 100);
    EXPECT_LT(seconds_of_jobs(pool, 100), 20 * single + 2);
  }).join();
}

TEST(ThreadPool, more_workers_than_cores_beside_other_busy_programs_are_slow_and_not_stuck) {
  const int cores = usable_cores();
  std::atomic<bool> stop{false};
  ThreadPool pool(4 * cores);
  const double quiet = seconds_of_jobs(pool, 100);
  std::vector<std::thread> hogs;
  for (int i = 0; i < 2 * cores; ++i)
    hogs.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
      }
    });
  const double busy = seconds_of_jobs(pool, 100);
  stop = true;
  for (std::thread& hog : hogs) hog.join();
  // A fair share would be a third. A pool that waits for a worker out of turn loses a time slice a job: 100 times 10 ms and more.
  EXPECT_LT(busy, 30 * quiet + 4);
}

TEST(ThreadPool, the_caller_takes_the_place_of_the_first_worker) {
  const int cpu = allowed_cpus().back();
  std::vector<int> cpus;
  std::thread([&] {
    ThreadPool pool(PoolOptions{.threads = 1, .places = {{cpu}}});
    pool.enlist();
    cpus = allowed_cpus();
  }).join();
  EXPECT_EQ(cpus, std::vector<int>{cpu});
}

TEST(ThreadPool, workers_run_where_they_are_put) {
  const std::vector<int> allowed = allowed_cpus();
  ThreadPool pool(PoolOptions{.threads = 3, .places = {{allowed.front()}, {allowed.back()}}});
  std::vector<std::vector<int>> seen(3);
  Meeting all(3);
  std::atomic<bool> met{true};
  pool.for_parts(48, 1, [&](int worker, int, int) {
    if (!seen[static_cast<std::size_t>(worker)].empty()) return;
    seen[static_cast<std::size_t>(worker)] = allowed_cpus();
    if (!all.attend()) met = false;
  });
  EXPECT_TRUE(met);
  EXPECT_EQ(seen[1], std::vector<int>{allowed.back()});
  EXPECT_EQ(seen[2], std::vector<int>{allowed.front()});
}

}  // namespace
}  // namespace qn
