// quern run: a chat at the terminal, or one answer if there is a prompt or piped text.
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/run/run_flags.h"

namespace qn::cli {
namespace {

int run_run(std::span<const std::string> args, Io& io) {
  CLI::App app;
  RunFlags flags;
  flags.declare(app);
  const Help help{
      .command = "run",
      .summary = "Chats with a model, or answers once if a prompt or piped text is given.",
      .usage = {"quern run [MODEL] [PROMPT...] [flags]", "... | quern run [MODEL] [PROMPT...] [flags]"},
      .environment = {{"NO_COLOR", "no colours"},
                      {"OLLAMA_NOHISTORY", "1: keep no history of typed lines"},
                      {"XDG_STATE_HOME", "where history and saved chats are kept (default: ~/.local/state)"}},
      .examples = {"quern run", "quern run model.gguf", "quern run model.gguf \"Why is the sky blue?\" --temp 0",
                   "cat notes.txt | quern run model.gguf Sum this up."},
      .more =
          "MODEL is a GGUF file, the name of a saved chat, or quern-mini, which is built in and used where no MODEL is given. "
          "In a chat, /? lists the commands.",
  };
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  Result<RunRequest> request = flags.read(io);
  if (!request) return usage_error(io, "run", request.error().message);
  return run_chat(*std::move(request), io);
}

}  // namespace

Command command_run() {
  return {"run", "chat with a model, or ask it once", Group::chat, run_run};
}

}  // namespace qn::cli
