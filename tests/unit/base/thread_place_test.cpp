#include "base/thread_place.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <thread>

#include "base/usable_cpus.h"

namespace qn {
namespace {

// The calling thread's own nice value: Linux keeps one for each thread.
int nice_value() {
  return ::getpriority(PRIO_PROCESS, 0);
}

TEST(ThreadPlace, a_thread_runs_only_where_it_was_put) {
  std::thread([] {
    const int cpu = allowed_cpus().back();
    ASSERT_TRUE(place_thread(std::vector<int>{cpu}));
    EXPECT_EQ(allowed_cpus(), std::vector<int>{cpu});
    EXPECT_EQ(::sched_getcpu(), cpu);
  }).join();
}

TEST(ThreadPlace, a_cpu_that_is_not_there_is_an_error_that_names_it) {
  const Status status = place_thread(std::vector<int>{65'000});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("CPU 65000"), std::string::npos) << status.error().message;
}

TEST(ThreadPlace, low_priority_needs_no_permission_and_concerns_one_thread) {
  const int before = nice_value();
  if (before > 5) GTEST_SKIP() << "already nicer than low";
  std::thread([] {
    ASSERT_TRUE(prioritize_thread(Priority::low));
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
  }).join();
  EXPECT_EQ(nice_value(), before);
}

TEST(ThreadPlace, high_priority_is_granted_or_its_refusal_names_the_permission) {
  std::thread([] {
    const Status status = prioritize_thread(Priority::high);
    if (status) {
      EXPECT_TRUE(::sched_getscheduler(0) == SCHED_FIFO || nice_value() == -10);
    } else {
      EXPECT_NE(status.error().message.find("CAP_SYS_NICE"), std::string::npos) << status.error().message;
    }
  }).join();
}

}  // namespace
}  // namespace qn
