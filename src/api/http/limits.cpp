#include "api/http/limits.h"

#include <charconv>

namespace qn::api {
namespace {

constexpr std::int64_t most = std::int64_t{1} << 40;

std::int64_t factor_of(std::string_view unit) {
  constexpr std::pair<std::string_view, std::int64_t> units[] = {{"", 1},        {"k", 1000},          {"K", 1 << 10}, {"m", 1'000'000},
                                                                 {"M", 1 << 20}, {"g", 1'000'000'000}, {"G", 1 << 30}};
  for (const auto& [name, factor] : units)
    if (name == unit) return factor;
  return 0;
}

}  // namespace

Status set_limit(Limits& limits, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view name = assignment.substr(0, equals);
  for (const LimitRow& row : limit_rows) {
    if (row.name != name) continue;
    const std::string_view text = equals == std::string_view::npos ? "" : assignment.substr(equals + 1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::int64_t factor = factor_of(text.substr(static_cast<std::size_t>(end - text.data())));
    if (error != std::errc() || factor == 0 || number < 1 || number > most / factor)
      return fail(Code::bad_input, "--limit {}: expected a positive number as 100, 64K or 32M, got {}", row.name, qn::quoted(text));
    limits.*row.value = number * factor;
    return {};
  }
  std::string names;
  for (const LimitRow& row : limit_rows) names += fmt::format("{}{}", names.empty() ? "" : ", ", row.name);
  return fail(Code::bad_input, "--limit: unknown limit {}; the limits are {}", qn::quoted(name), names);
}

}  // namespace qn::api
