// Log lines: `event key=value`, on stderr. Prompts, replies and keys never appear. sched/, quant/ and kernels do not log.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace qn::log {

enum class Level { debug, info, warning, error, off };

enum class Format {
  text,  // time=… level=… event key=value
  json,  // {"time":…,"level":…,"message":…}, or the fields beside "event"
};

void set_level(Level level);
void set_format(Format format);  // before other threads log
void write(Level level, std::string_view text);

// One event as fields. Text from outside is fine: control characters are escaped, in both formats.
struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double> value;
};
void write_event(Level level, std::string_view event, std::span<const Field> fields);

template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace qn::log
