#include "cli/units.h"

#include <string_view>

#include "base/result.h"

namespace qn::cli {
namespace {

struct Unit {
  double size;
  std::string_view name;
};
constexpr Unit memory_units[] = {{1024.0 * 1024 * 1024, "GiB"}, {1024.0 * 1024, "MiB"}, {1024.0, "KiB"}};
constexpr Unit disk_units[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
constexpr Unit count_units[] = {{1e9, "B"}, {1e6, "M"}, {1e3, "K"}};

template <std::size_t count>
std::string in_units(const Unit (&units)[count], std::uint64_t value, std::string_view smallest) {
  for (const Unit& unit : units)
    if (static_cast<double>(value) >= unit.size) return fmt::format("{:.2f} {}", static_cast<double>(value) / unit.size, unit.name);
  return smallest.empty() ? fmt::format("{}", value) : fmt::format("{} {}", value, smallest);
}

}  // namespace

std::string memory_size(std::uint64_t bytes) {
  return in_units(memory_units, bytes, "bytes");
}

std::string disk_size(std::uint64_t bytes) {
  return in_units(disk_units, bytes, "bytes");
}

std::string count_size(std::uint64_t number) {
  return in_units(count_units, number, "");
}

}  // namespace qn::cli
