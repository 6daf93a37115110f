// Arguments of a command: CLI11 reads them, the help and the error messages are ours.
//
//   CLI::App app;
//   app.add_option("--ctx", ctx, "context window in tokens")->type_name("N")->group("Model");
//   const Help help{.command = "run", .summary = "…", .usage = {"quern run [MODEL] [PROMPT...] [flags]"}};
//   if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"

namespace qn::cli {

struct HelpRow {
  std::string_view name, text;
};

struct Help {
  std::string_view command;
  std::string_view summary;
  std::vector<std::string_view> usage;  // whole lines, "quern run [MODEL] [PROMPT...] [flags]"
  std::vector<HelpRow> environment = {};
  std::vector<std::string_view> examples = {};
  std::string_view more = {};  // where to read more
};

// Reads args into app's variables. Prints help for --help and -h (stdout), or one line on stderr for wrong usage, naming the nearest flag.
//   returns  the exit code if the command is to end now
std::optional<int> parse_arguments(CLI::App& app, const Help& help, std::span<const std::string> args, Io& io);

// Rows of a name column and a wrapped text column, at most 100 columns wide.
void print_rows(std::FILE* out, std::span<const HelpRow> rows);

}  // namespace qn::cli
