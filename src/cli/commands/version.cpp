// quern version: one line on stdout.
#include "cli/arguments.h"
#include "cli/program.h"

namespace qn::cli {
namespace {

int run_version(std::span<const std::string> args, Io& io) {
  CLI::App app;
  const Help help{.command = "version", .summary = "Prints the version of this program.", .usage = {"quern version"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  fmt::print(io.out, "quern version is {}\n", program_version());
  return exit_ok;
}

}  // namespace

Command command_version() {
  return {"version", "print the version", Group::program, run_version};
}

}  // namespace qn::cli
