// How much of the machine this process may use: its affinity mask, and the share of time that its container is given.
#pragma once

#include <filesystem>
#include <limits>
#include <vector>

namespace qn {

std::vector<int> allowed_cpus();  // by number, from the affinity mask; never empty

inline constexpr double no_quota = std::numeric_limits<double>::infinity();

// CPUs' worth of time that the control groups around this process leave it, the least of its own group and all above it: cgroup v2's
// cpu.max, v1's cpu.cfs_quota_us. no_quota where nothing limits it.
//   root     where /proc and the mounts of the groups are found; tests give a folder
//   source   Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/cgroups.rst, scheduler/sched-bwc.rst
double cpu_quota(const std::filesystem::path& root = "/");

// Threads that can run at once: allowed CPUs, no more than the quota rounded up; at least 1.
int usable_cores();

}  // namespace qn
