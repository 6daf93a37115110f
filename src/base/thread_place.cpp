#include "base/thread_place.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace qn {
namespace {

struct Urgency {
  Priority priority;
  int policy;
  int fifo;  // SCHED_FIFO's own scale, 1 to 99
  int nice;
};
constexpr Urgency urgencies[] = {
    // llama.cpp's levels
    {Priority::low, SCHED_BATCH, 0, 5},    {Priority::normal, SCHED_OTHER, 0, 0},     {Priority::medium, SCHED_FIFO, 40, -5},
    {Priority::high, SCHED_FIFO, 80, -10}, {Priority::realtime, SCHED_FIFO, 90, -20},
};

}  // namespace

Status place_thread(std::span<const int> cpus) {
  if (cpus.empty()) return fail(Code::bad_input, "threads: no CPU to run on; name at least one");
  const int most = *std::max_element(cpus.begin(), cpus.end());
  const std::unique_ptr<cpu_set_t, decltype([](cpu_set_t* set) { CPU_FREE(set); })> set(CPU_ALLOC(static_cast<std::size_t>(most) + 1));
  const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(most) + 1);
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), bytes, set.get());
  if (::sched_setaffinity(0, bytes, set.get()) == 0) return {};
  return fail(Code::unsupported, "threads: CPU {} and the like cannot be used: {}; name CPUs that this process may run on", cpus.front(),
              std::strerror(errno));
}

Status prioritize_thread(Priority priority) {
  const auto& wanted = *std::find_if(std::begin(urgencies), std::end(urgencies), [&](const Urgency& u) { return u.priority == priority; });
  // Both calls mean the calling thread: Linux keeps policy and nice value for each thread.
  sched_param parameter{};
  parameter.sched_priority = wanted.fifo;
  const bool scheduled = ::sched_setscheduler(0, wanted.policy, &parameter) == 0;
  if (scheduled && wanted.fifo > 0) return {};
  if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), wanted.nice) == 0) return {};
  return fail(Code::unsupported, "priority: {}; run with CAP_SYS_NICE, or raise the limits rtprio and nice (ulimit -r, ulimit -e)",
              std::strerror(errno));
}

}  // namespace qn
