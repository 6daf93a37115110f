// ThreadPlan: how many threads compute, where they run and how urgently, from what the user asked for and what the machine is.
//   by default   one thread a core: the fast ones for replies, all for prompts; no more than the container's quota. Where there are several
//                nodes or kinds of cores, pinned to their cores if they fill what we may use and no quota limits it; else the system places
//                them
#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_place.h"
#include "cli/io.h"
#include "cli/threads/topology.h"

namespace qn::cli {

struct ThreadChoice {  // as typed; empty: not given
  std::optional<int> threads, prompt_threads;
  std::optional<int> poll;  // 0 to 100: how long those who wait look before they sleep
  std::string priority;     // -1 to 3, or a name
  std::string mask, range;  // hexadecimal; "LOW-HIGH"
  std::string strict;       // "1": one CPU for each thread
  std::string numa;         // "distribute", "isolate", "numactl"
};

struct ThreadPlan {
  int threads = 1;                       // that compute replies
  int prompt_threads = 1;                // that compute steps of many rows
  std::vector<std::vector<int>> places;  // as in PoolOptions
  Priority priority = Priority::normal;
  std::chrono::microseconds spin{500};
};

// The flags --threads, --threads-batch, --prio, --cpu-mask, --cpu-range, --cpu-strict, --numa and --poll.
void declare_thread_flags(CLI::App& app, ThreadChoice& choice, const std::string& group);

// Notes on `io` say where the machine has less than was asked for.
//   errors   bad_input: the flag, the value and what it takes
Result<ThreadPlan> plan_threads(const ThreadChoice& choice, const Topology& topology, Io& io);

}  // namespace qn::cli
