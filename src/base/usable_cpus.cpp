#include "base/usable_cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

namespace qn {
namespace {

namespace fs = std::filesystem;

// One hierarchy of control groups as this process sees it: the group mounted, and where.
struct Mount {
  std::string group;  // path in the hierarchy of what is mounted; "/" unless this is a container's view
  fs::path point;
  bool unified = false;  // cgroup v2
};

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, mark);) parts.push_back(std::move(part));
  return parts;
}

bool lists(const std::string& comma_separated, std::string_view word) {
  const std::vector<std::string> words = split(comma_separated, ',');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Mounts that can hold a limit of CPU time: "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS".
std::vector<Mount> mounts_in(const fs::path& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (!unified && !(dash[1] == "cgroup" && lists(dash[3], "cpu"))) continue;
    mounts.push_back({words[3], root / fs::path(words[4]).relative_path(), unified});
  }
  return mounts;
}

// The group of this process in that hierarchy, from lines "ID:CONTROLLERS:PATH"; v2's line is "0::PATH".
std::optional<std::string> group_in(const fs::path& root, bool unified) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (unified ? controllers.empty() : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

double limit_of(const fs::path& folder, bool unified) {
  std::string quota;
  double period = 0;
  if (unified) {
    std::ifstream(folder / "cpu.max") >> quota >> period;  // "max 100000" or "150000 100000", in microseconds
  } else {
    std::ifstream(folder / "cpu.cfs_quota_us") >> quota;  // -1: none
    std::ifstream(folder / "cpu.cfs_period_us") >> period;
  }
  const double time = std::strtod(quota.c_str(), nullptr);  // "max" and nothing give 0
  return time > 0 && period > 0 ? time / period : no_quota;
}

}  // namespace

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  for (std::size_t most = 1024; most <= (std::size_t{1} << 20); most *= 4) {  // the call fails while the set is smaller than the kernel's
    const std::unique_ptr<cpu_set_t, decltype([](cpu_set_t* set) { CPU_FREE(set); })> set(CPU_ALLOC(most));
    const std::size_t bytes = CPU_ALLOC_SIZE(most);
    CPU_ZERO_S(bytes, set.get());
    if (::sched_getaffinity(0, bytes, set.get()) != 0) continue;
    for (std::size_t cpu = 0; cpu < most; ++cpu)
      if (CPU_ISSET_S(cpu, bytes, set.get())) cpus.push_back(static_cast<int>(cpu));
    break;
  }
  if (cpus.empty())
    for (unsigned cpu = 0; cpu < std::max(std::thread::hardware_concurrency(), 1u); ++cpu) cpus.push_back(static_cast<int>(cpu));
  return cpus;
}

double cpu_quota(const fs::path& root) {
  double least = no_quota;
  for (const Mount& mount : mounts_in(root)) {
    // Below the mount lies what the group's path has beyond the mounted one. A path that does not begin so belongs to another view: then
    // the mounted group is all that can be seen.
    std::string below = group_in(root, mount.unified).value_or("");
    if (mount.group != "/") below = below.starts_with(mount.group + "/") ? below.substr(mount.group.size()) : "";
    for (fs::path group = fs::path(below).relative_path();; group = group.parent_path()) {
      least = std::min(least, limit_of(mount.point / group, mount.unified));
      if (group.empty()) break;
    }
  }
  return least;
}

int usable_cores() {
  const double quota = std::ceil(cpu_quota());
  const double cpus = static_cast<double>(allowed_cpus().size());
  return std::max(1, static_cast<int>(std::min(cpus, quota)));
}

}  // namespace qn
