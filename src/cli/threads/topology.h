// Topology: the cores that this process may use, as the place of threads is chosen by them. hwloc knows; this is what we keep of it.
#pragma once

#include <string>
#include <vector>

namespace qn::cli {

struct Core {
  std::vector<int> cpus;  // its hardware threads that we may use, by the system's numbers; at least one
  int node = 0;           // NUMA node
  int speed = 0;          // larger is faster; cores for efficiency have a smaller number than those for performance
};

struct Topology {
  std::vector<Core> cores;  // in the machine's order; at least one
  double quota = 0;         // CPUs' worth of time that we are given (base/usable_cpus.h)
  int here = 0;             // NUMA node that this thread runs on

  int cpus() const;   // hardware threads in all
  int nodes() const;  // highest node + 1
};

// This machine within the affinity mask. Where hwloc has nothing to say, every CPU is a core.
Topology this_topology();

// A machine in hwloc's words ("numa:2 core:4 pu:2"), for tests; empty where it cannot be read.
Topology synthetic_topology(const std::string& description);

}  // namespace qn::cli
