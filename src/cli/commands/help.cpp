// quern help [COMMAND]: the same text as `quern COMMAND --help`.
#include "cli/program.h"

namespace qn::cli {
namespace {

int run_help(std::span<const std::string> args, Io& io) {
  if (args.empty() || args[0] == "--help" || args[0] == "-h") {
    print_program_help(io);
    return exit_ok;
  }
  const std::vector<Command> commands = all_commands();
  const Command* command = find_command(commands, args[0]);
  if (command == nullptr) return unknown_command(io, commands, args[0]);
  static const std::string help_flag[] = {"--help"};
  return command->run(std::span<const std::string>(help_flag), io);
}

}  // namespace

Command command_help() {
  return {"help", "explain the program or one command", Group::program, run_help};
}

}  // namespace qn::cli
