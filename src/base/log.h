// Log lines: `event key=value`, on stderr. Prompts, replies and keys never appear. sched/, quant/ and kernels do not log.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace qn::log {

enum class Level { debug, info, warning, error, off };

void set_level(Level level);
void write(Level level, std::string_view text);

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
