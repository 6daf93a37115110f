// Command: one subcommand of the program. commands/foo.cpp defines `Command command_foo()`, and the build lists them all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"

namespace qn::cli {

enum class Group { chat, models, tools, program };  // the headings of `quern --help`, in this order

struct Command {
  std::string_view name;
  std::string_view summary;  // one line for `quern --help`
  Group group;
  // args: what follows the name on the command line. Returns the exit code. Prints its own help for --help (cli/arguments.h).
  int (*run)(std::span<const std::string> args, Io& io);
};

std::vector<Command> all_commands();

}  // namespace qn::cli
