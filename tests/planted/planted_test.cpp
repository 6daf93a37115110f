// The property tests of the scheduler are worth what they catch. Here they are told on a copy of src/sched with mistakes planted in it
// (mistakes.cmake): with none they hold, with each of them they do not.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "unit/sched/story.h"

namespace qn::sched {

extern int planted;                   // number of the mistake that is on; 0: none
extern const char* const mistakes[];  // names, from number 1 on; then null

namespace {

// In a process of its own, as a mistake may run into one of our own checks or into memory that is gone: both count as caught.
bool is_caught(int number) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (number != 0 && std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
    planted = number;
    alarm(60);  // one that never ends is caught too
    for (std::uint64_t seed = 0; seed < 900; ++seed) {
      if (!tell(seed, static_cast<int>(seed % 3)).wrong.empty()) _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

TEST(Planted, nothing_is_caught_where_there_is_no_mistake) {
  EXPECT_FALSE(is_caught(0));
}

TEST(Planted, every_mistake_is_caught) {
  for (int number = 1; mistakes[number - 1] != nullptr; ++number) EXPECT_TRUE(is_caught(number)) << mistakes[number - 1];
}

}  // namespace
}  // namespace qn::sched
