#include "cli/chat/settings.h"

namespace qn::cli {

Result<Thinking> read_thinking(std::string_view value) {
  if (value == "true" || value == "on") return Thinking{true, ""};
  if (value == "false" || value == "off") return Thinking{false, ""};
  for (std::string_view level : {"high", "medium", "low", "max"})
    if (value == level) return Thinking{true, std::string(level)};
  return fail(Code::bad_input, "invalid value for --think: \"{}\" (must be true, false, high, medium, low, or max)", value.substr(0, 64));
}

}  // namespace qn::cli
