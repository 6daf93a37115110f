// The program: which persona or command a command line asks for, and the flags before it.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/io.h"

namespace qn::cli {

std::string_view program_version();

// argv with the program's name first: a name or a first argument that is another tool's selects its persona.
//   returns  the exit code
int run_program(std::span<const std::string> argv, Io& io);

// The text of `quern --help`.
void print_program_help(Io& io);

// The command of this name; none if there is no such command.
const Command* find_command(std::span<const Command> commands, std::string_view name);
// "unknown command 'rum'; did you mean run?"
int unknown_command(Io& io, std::span<const Command> commands, std::string_view name);

}  // namespace qn::cli
