#include "api/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace qn::api {
namespace {

// /proc/self/stat from its third field on: the second is a name that may hold anything but ends at the last ')'.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t end = line.rfind(')');
  std::vector<double> fields;
  if (end == std::string::npos) return fields;
  std::istringstream rest(line.substr(end + 1));
  for (std::string word; rest >> word;) {
    double value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    fields.push_back(value);
  }
  return fields;
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (word == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
  return 0;
}

}  // namespace

std::vector<ProcessFigure> process_figures() {
  const std::vector<double> fields = stat_fields();
  // Fields by proc(5): utime 14, stime 15, num_threads 20, starttime 22, vsize 23, rss 24; ours begin with the third.
  if (fields.size() < 22) return {};
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK)), page = static_cast<double>(sysconf(_SC_PAGESIZE));
  std::vector<ProcessFigure> figures = {
      {"process_cpu_seconds_total", FigureKind::counter, "CPU time of this process.", (fields[11] + fields[12]) / ticks},
      {"process_threads", FigureKind::gauge, "Threads.", fields[17]},
      {"process_start_time_seconds", FigureKind::gauge, "When this process began, since 1970.", boot_time() + fields[19] / ticks},
      {"process_virtual_memory_bytes", FigureKind::gauge, "Address space.", fields[20]},
      {"process_resident_memory_bytes", FigureKind::gauge, "Memory in use, mapped model files among it.", fields[21] * page},
  };
  double descriptors = 0;
  std::error_code missing;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", missing)) ++descriptors;
  figures.push_back({"process_open_fds", FigureKind::gauge, "Open file descriptors.", descriptors});
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
    figures.push_back({"process_max_fds", FigureKind::gauge, "How many may be open.", static_cast<double>(limit.rlim_cur)});
  return figures;
}

}  // namespace qn::api
