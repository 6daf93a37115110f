#include "cli/threads/topology.h"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>

#include "base/usable_cpus.h"

namespace qn::cli {
namespace {

using Hwloc = std::unique_ptr<hwloc_topology, decltype([](hwloc_topology_t t) { hwloc_topology_destroy(t); })>;
using Bitmap = std::unique_ptr<hwloc_bitmap_s, decltype([](hwloc_bitmap_t b) { hwloc_bitmap_free(b); })>;

Hwloc load(const std::string& synthetic) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return nullptr;
  Hwloc topology(raw);
  hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  if (!synthetic.empty() && hwloc_topology_set_synthetic(raw, synthetic.c_str()) != 0) return nullptr;
  if (hwloc_topology_load(raw) != 0) return nullptr;
  return topology;
}

// hwloc ranks kinds of cores, but also by clocks, which differ a little among equal cores: only kinds by design count.
int speed_of(hwloc_topology_t topology, hwloc_const_cpuset_t cpus) {
  const int kind = hwloc_cpukinds_get_by_cpuset(topology, cpus, 0);
  int rank = -1;
  unsigned count = 0;
  hwloc_info_s* infos = nullptr;
  if (kind < 0 || hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), nullptr, &rank, &count, &infos, 0) != 0) return 0;
  const bool by_design = std::any_of(infos, infos + count, [](const hwloc_info_s& info) {
    return std::string_view(info.name) == "CoreType" || std::string_view(info.name) == "LinuxCapacity";
  });
  return by_design ? std::max(rank, 0) : 0;
}

std::vector<Core> cores_of(hwloc_topology_t topology, const std::function<bool(int cpu)>& allowed) {
  std::vector<Core> cores;
  const hwloc_obj_type_t type = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  for (hwloc_obj_t object = nullptr; (object = hwloc_get_next_obj_by_type(topology, type, object)) != nullptr;) {
    Core core;
    for (int cpu = hwloc_bitmap_first(object->cpuset); cpu >= 0; cpu = hwloc_bitmap_next(object->cpuset, cpu))
      if (allowed(cpu)) core.cpus.push_back(cpu);
    if (core.cpus.empty()) continue;
    core.node = object->nodeset != nullptr ? std::max(hwloc_bitmap_first(object->nodeset), 0) : 0;
    core.speed = speed_of(topology, object->cpuset);
    cores.push_back(std::move(core));
  }
  return cores;
}

}  // namespace

int Topology::cpus() const {
  std::size_t count = 0;
  for (const Core& core : cores) count += core.cpus.size();
  return static_cast<int>(count);
}

int Topology::nodes() const {
  int highest = 0;
  for (const Core& core : cores) highest = std::max(highest, core.node);
  return highest + 1;
}

Topology this_topology() {
  const std::vector<int> allowed = allowed_cpus();
  Topology result;
  result.quota = cpu_quota();
  if (const Hwloc topology = load("")) {
    result.cores = cores_of(topology.get(), [&](int cpu) { return std::binary_search(allowed.begin(), allowed.end(), cpu); });
    const int cpu = ::sched_getcpu();
    for (const Core& core : result.cores)
      if (std::find(core.cpus.begin(), core.cpus.end(), cpu) != core.cpus.end()) result.here = core.node;
  }
  if (result.cpus() < static_cast<int>(allowed.size())) {  // hwloc is blind here, or does not see all that we may use
    result.cores.clear();
    for (const int cpu : allowed) result.cores.push_back({{cpu}});
  }
  return result;
}

Topology synthetic_topology(const std::string& description) {
  Topology result;
  result.quota = no_quota;
  if (const Hwloc topology = load(description)) result.cores = cores_of(topology.get(), [](int) { return true; });
  return result;
}

}  // namespace qn::cli
