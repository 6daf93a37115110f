#include "cli/serve/environment.h"

#include <cstdlib>
#include <string_view>

namespace qn::cli {

std::string environment_value(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    const std::string_view text = value == nullptr ? "" : value;
    const std::size_t first = text.find_first_not_of(" \t\"'");
    if (first == std::string_view::npos) continue;
    return std::string(text.substr(first, text.find_last_not_of(" \t\"'") - first + 1));
  }
  return {};
}

}  // namespace qn::cli
