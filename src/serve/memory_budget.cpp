#include "serve/memory_budget.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace qn::serve {
namespace {

// Of this process: what it has written to, and no file backs.
std::uint64_t own_bytes() {
  constexpr std::string_view key = "RssAnon:";  // in KiB
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  return 0;
}

}  // namespace

std::uint64_t memory_for_models(const Backend& device, std::uint64_t locked_bytes) {
  return device.info().available_bytes + own_bytes() + locked_bytes;
}

}  // namespace qn::serve
