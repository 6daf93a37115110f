#include "cli/chat/slash.h"

#include <algorithm>
#include <iterator>

#include "base/result.h"
#include "serve/parameters.h"

namespace qn::cli {
namespace {

struct Row {
  std::string_view name;
  Slash command;
};
constexpr Row rows[] = {
    {"/set", Slash::set},   {"/show", Slash::show}, {"/load", Slash::load}, {"/save", Slash::save}, {"/clear", Slash::clear},
    {"/list", Slash::list}, {"/bye", Slash::bye},   {"/exit", Slash::bye},  {"/?", Slash::help},    {"/help", Slash::help},
};

constexpr std::string_view general = R"(Available Commands:
  /set            Set session variables
  /show           Show model information
  /load NAME      Load a model file or a saved chat
  /save NAME      Save this chat
  /clear          Clear session context
  /bye            Exit
  /?, /help       Help for a command
  /? shortcuts    Help for keyboard shortcuts

Use """ to begin a multi-line message.
)";

constexpr std::string_view set = R"(Available Commands:
  /set parameter ...     Set a parameter
  /set system TEXT       Set system message
  /set history           Enable history
  /set nohistory         Disable history
  /set wordwrap          Enable wordwrap
  /set nowordwrap        Disable wordwrap
  /set verbose           Show statistics after each reply
  /set quiet             Show no statistics
  /set think [LEVEL]     Let the model think first
  /set nothink           Answer without thinking
)";

constexpr std::string_view show = R"(Available Commands:
  /show info         Show details of this model
  /show license      Show model license
  /show modelfile    Show this chat's model, system and parameters
  /show parameters   Show parameters
  /show system       Show system message
  /show template     Show prompt template
)";

constexpr std::string_view shortcuts = R"(Available keyboard shortcuts:
  Ctrl + a            Move to the beginning of the line (Home)
  Ctrl + e            Move to the end of the line (End)
   Alt + b            Move back one word
   Alt + f            Move forward one word
  Ctrl + k            Delete to the end of the line
  Ctrl + u            Delete the line
  Ctrl + w            Delete the word before the cursor
  Ctrl + r            Search the history

  Ctrl + l            Clear the screen
  Ctrl + c            Stop the reply, or clear the line
  Ctrl + d            Leave
)";

}  // namespace

Split split_word(std::string_view text) {
  const auto trim = [](std::string_view part) {
    const std::string_view blanks = " \t\n";
    const std::size_t first = part.find_first_not_of(blanks);
    if (first == std::string_view::npos) return std::string_view();
    return part.substr(first, part.find_last_not_of(blanks) - first + 1);
  };
  text = trim(text);
  const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
  return {text.substr(0, end), trim(text.substr(end))};
}

std::optional<SlashLine> read_slash(std::string_view line) {
  if (!line.starts_with('/')) return std::nullopt;
  const auto [word, rest] = split_word(line);
  if (word.find('/', 1) != std::string_view::npos) return std::nullopt;
  SlashLine slash{std::nullopt, std::string(word), std::string(rest)};
  const auto row = std::find_if(std::begin(rows), std::end(rows), [&slash](const Row& r) { return r.name == slash.name; });
  if (row != std::end(rows)) slash.command = row->command;
  return slash;
}

std::string_view help_text(std::string_view topic) {
  if (topic == "set" || topic == "/set") return set;
  if (topic == "show" || topic == "/show") return show;
  if (topic == "shortcut" || topic == "shortcuts") return shortcuts;
  return general;
}

std::string parameter_help() {
  std::string text = "Available Parameters:\n";
  for (const serve::ParameterRow& row : serve::parameter_rows())
    fmt::format_to(std::back_inserter(text), "  /set parameter {:<20} {}\n", row.name, row.summary);
  return text;
}

}  // namespace qn::cli
