// ollama run: its flags are among those of our run.
#include "cli/persona.h"

namespace qn::cli {

Persona persona_ollama_run() {
  return {.tool = "ollama",
          .command = "run",
          .flags = {},
          .defaults = {},
          .summary = "chat with a model, or ask it once",
          .words = Words::passed_on_with_flags,
          .subcommands = "run"};
}

}  // namespace qn::cli
