// quern help [COMMAND]: the same text as `quern COMMAND --help`.
#include <algorithm>

#include "cli/persona.h"
#include "cli/program.h"

namespace qn::cli {
namespace {

bool is_persona(std::string_view name) {
  const std::vector<Persona> personas = all_personas();
  return std::any_of(personas.begin(), personas.end(), [name](const Persona& persona) { return persona.tool == name; });
}

int run_help(std::span<const std::string> args, Io& io) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h") {
    print_program_help(io);
    return exit_ok;
  }
  const std::vector<Command> commands = all_commands();
  const Command* command = find_command(commands, args[0]);
  if (command == nullptr && is_persona(args[0])) return run_program(std::vector<std::string>{"quern", args[0], "--help"}, io);
  if (command == nullptr) return unknown_command(io, commands, args[0]);
  static const std::string help_flag[] = {"--help"};
  return command->run(std::span<const std::string>(help_flag), io);
}

}  // namespace

Command command_help() {
  return {"help", "explain the program or one command", Group::program, run_help};
}

}  // namespace qn::cli
