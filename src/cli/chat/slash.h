// Slash commands: a line at the prompt, taken apart; and the texts that list them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qn::cli {

enum class Slash { set, show, load, save, clear, list, bye, help };

struct SlashLine {
  std::optional<Slash> command;  // none: unknown
  std::string name;              // as typed, "/x"
  std::string rest;              // what follows, without blanks around it
};

// Nothing if the line is a message: it does not begin with '/', or its first word is a path ("/usr/bin").
std::optional<SlashLine> read_slash(std::string_view line);

// The first word, and what follows it without blanks around.
struct Split {
  std::string_view word, rest;
};
Split split_word(std::string_view text);

// What /?, /set, /set parameter, /show and /? shortcuts print.
std::string_view help_text(std::string_view topic);
std::string parameter_help();

}  // namespace qn::cli
