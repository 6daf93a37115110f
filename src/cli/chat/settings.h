// Settings of a chat in the terminal: what flags and /set change.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "serve/parameters.h"

namespace qn::cli {

struct Thinking {
  std::optional<bool> on;  // none: the model's default
  std::string level;       // "low", "medium", "high", "max", or empty
};

// "true", "false", "low", …
//   errors   bad_input: `invalid value for --think: "x" (must be …)`
Result<Thinking> read_thinking(std::string_view value);

struct ChatSettings {
  std::string system;
  serve::Parameters parameters;
  Thinking thinking;
  json::Object template_arguments;  // further names for the template
  bool ignore_end_of_turn = false;
  bool hide_thinking = false;
  bool wordwrap = true;
  bool verbose = false;
  bool history = true;
};

}  // namespace qn::cli
