// quern serve: the server, in the foreground, until it is told to end.
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/serve/model_flags.h"
#include "cli/serve/run_server.h"
#include "cli/serve/server_flags.h"

namespace qn::cli {
namespace {

int run_serve(std::span<const std::string> args, Io& io) {
  ModelFlags model_flags;
  ServerFlags server_flags;
  CLI::App app;
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  model_flags.declare(app);
  server_flags.declare(app);
  Help help{.command = "serve",
            .summary = "Serves models over HTTP to clients of OpenAI, Ollama, Anthropic, llama-server and vLLM.",
            .usage = {"quern serve [MODEL...] [flags]"},
            .environment = ServerFlags::environment(),
            .examples = {"quern serve", "quern serve model.gguf --alias chat --ctx 8192",
                         "quern serve fast=small.gguf good=large.gguf --max-loaded 1",
                         "quern serve --models-dir ~/models --host 0.0.0.0 --api-key-file keys.txt",
                         "quern serve --host /run/quern/quern.sock --port 0"},
            .more =
                "MODEL is a GGUF file, NAME=FILE, a folder of them, or quern-mini, which is built in and served\n"
                "where nothing is named. docs/serve.md is the guide to models; docs/server.md to keys, web pages,\n"
                "TLS, limits, health and ending in good order."};
  for (const HelpRow& row : ModelFlags::environment()) help.environment.push_back(row);
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (!io.quiet) log::set_level(log::Level::info);

  Result<api::ServerOptions> options = server_flags.read();
  if (!options) return report(io, options.error());
  Result<ModelPlan> plan = model_flags.read(io);
  if (!plan) return report(io, plan.error());
  return run_server(*std::move(options), *std::move(plan), io);
}

}  // namespace

Command command_serve() {
  return {"serve", "serve models over HTTP", Group::chat, run_serve};
}

}  // namespace qn::cli
