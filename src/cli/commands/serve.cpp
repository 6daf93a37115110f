// quern serve: the server, in the foreground, until it is told to end.
#include "api/http/server.h"
#include "api/service.h"
#include "api/workers.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/builtin_model.h"
#include "cli/command.h"
#include "cli/model_loader.h"
#include "cli/program.h"
#include "cli/serve/served_models.h"
#include "cli/serve/server_flags.h"
#include "cli/serve/service_manager.h"

namespace qn::cli {
namespace {

int run_serve(std::span<const std::string> args, Io& io) {
  ServerFlags server_flags;
  std::vector<std::string> names;
  DeviceChoice device;
  CLI::App app;
  app.add_option("MODEL", names, "models to serve: files, or quern-mini, which is always there")->group("");
  server_flags.declare(app);
  const Help help{.command = "serve",
                  .summary = "Serves models over HTTP, to clients of OpenAI, Ollama, Anthropic, llama-server and vLLM, on one port.",
                  .usage = {"quern serve [MODEL...] [flags]"},
                  .environment = ServerFlags::environment(),
                  .examples = {"quern serve", "quern serve --host 0.0.0.0 --api-key-file keys.txt",
                               "quern serve --host /run/quern/quern.sock --port 0"},
                  .more = "docs/server.md is the guide: keys, web pages, TLS, limits, health, ending in good order."};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (!io.quiet) log::set_level(log::Level::info);

  Result<api::ServerOptions> options = server_flags.read();
  if (!options) return report(io, options.error());
  options->on_drain = [] { tell_service_manager("STOPPING=1"); };
  auto loader = ModelLoader::make(device, io);
  if (!loader) return report(io, loader.error());
  serve::ModelHost models({.device = &(*loader)->device()});
  serve::LoadOptions load;
  load.max_sequences = 64;
  names.emplace_back(builtin_model_name);
  for (const std::string& name : names) {
    auto model = served_model(name, load);
    if (!model) return report(io, model.error());
    models.offer(*std::move(model));
  }
  api::Workers workers(2);
  api::Service service;
  service.version = program_version();
  service.models = &models;
  service.workers = &workers;
  service.engine_turns = [&models] { return models.turns(); };
  Result<std::unique_ptr<api::Server>> server = api::Server::start(*std::move(options), api::all_endpoints(), service);
  if (!server) return report(io, server.error());

  service.readiness = api::Readiness::ready;
  for (const std::string& address : (*server)->addresses()) fmt::print(io.err, "quern: listening on {}\n", address);
  std::fflush(io.err);
  tell_service_manager("READY=1");
  (*server)->run();
  return exit_ok;
}

}  // namespace

Command command_serve() {
  return {"serve", "serve models over HTTP", Group::chat, run_serve};
}

}  // namespace qn::cli
