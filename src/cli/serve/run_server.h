// A server's life: models are offered, addresses bound, what is wanted at once is loaded, and then requests are answered until it ends.
#pragma once

#include "api/http/server.h"
#include "cli/io.h"
#include "cli/serve/model_flags.h"

namespace qn::cli {

// Returns the exit code.
int run_server(api::ServerOptions options, ModelPlan plan, Io& io);

}  // namespace qn::cli
