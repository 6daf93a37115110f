// quern bench serve: drives a server that runs, ours or another that speaks OpenAI's dialect, and reports what its users would feel.
#pragma once

#include <span>
#include <string>

#include "cli/io.h"

namespace qn::cli {

// args: what follows `bench serve`. Returns the exit code.
int run_serve_bench(std::span<const std::string> args, Io& io);

}  // namespace qn::cli
