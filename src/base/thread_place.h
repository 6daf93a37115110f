// Where a thread runs and how urgent it is: what the calling thread asks of the operating system.
#pragma once

#include <span>

#include "base/result.h"

namespace qn {

enum class Priority { low, normal, medium, high, realtime };

// On these CPUs only.
//   errors   unsupported: none of them may be used by this process
Status place_thread(std::span<const int> cpus);

// low: for what is left over (SCHED_BATCH, nice 5). medium, high, realtime: before all normal threads (SCHED_FIFO), or where that is not
// permitted, a lower nice value.
//   errors   unsupported: neither is permitted, and the thread stays as it was
Status prioritize_thread(Priority priority);

}  // namespace qn
