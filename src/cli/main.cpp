#include <string>
#include <vector>

#include "cli/bus_error.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  qn::cli::explain_bus_errors();
  const std::vector<std::string> argv_copy(argv, argv + argc);
  qn::cli::Io io = qn::cli::process_io();
  return qn::cli::run_program(argv_copy, io);
}
