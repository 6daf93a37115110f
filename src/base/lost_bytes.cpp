#include "base/lost_bytes.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "base/mapped_file.h"

namespace qn {
namespace {

struct Guard {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0}, end{0};  // begin == 0: not to be looked at
  std::atomic<bool> lost{false};
};
constexpr int most_maps = 1024;
Guard guards[most_maps];
std::atomic<std::uintptr_t> page_bytes{0};

// Only what may be done in a handler: mmap() is one call of the system, though POSIX does not list it. From the place that failed to the
// map's end zeros are mapped, in one piece: what lies there is gone or about to be found gone, and each piece would cost a map of its own.
void replace_lost_bytes(int signal, siginfo_t* info, void*) {
  const int saved_errno = errno;
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (info->si_code == BUS_ADRERR) {
    for (Guard& guard : guards) {
      const std::uintptr_t begin = guard.begin.load(), end = guard.end.load();
      if (begin == 0 || at < begin || at >= end) continue;
      guard.lost = true;
      const std::uintptr_t page = at / page_bytes * page_bytes;
      void* zeros =
          ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
      if (zeros == MAP_FAILED) break;
      errno = saved_errno;
      return;
    }
  }
  ::signal(signal, SIG_DFL);  // the access is made again, and ends the program
}

}  // namespace

namespace lost_bytes {

int guard(std::span<const std::byte> map) {
  for (int i = 0; i < most_maps; ++i) {
    if (guards[i].taken.exchange(true)) continue;
    const auto begin = reinterpret_cast<std::uintptr_t>(map.data());
    guards[i].lost = false;
    guards[i].end = begin + map.size();
    guards[i].begin = begin;
    return i;
  }
  return -1;
}

bool found(int guard) {
  return guards[guard].lost;
}

void declare(int guard) {
  guards[guard].lost = true;
}

void forget(int guard) {
  guards[guard].begin = 0;
  guards[guard].taken = false;
}

}  // namespace lost_bytes

void survive_lost_bytes() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = replace_lost_bytes;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace qn
