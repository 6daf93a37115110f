// ollama serve: no flags there, only OLLAMA_* variables, which our serve reads too; flags of ours may follow.
#include "cli/persona.h"

namespace qn::cli {

Persona persona_ollama_serve() {
  return {.tool = "ollama",
          .command = "serve",
          .flags = {},
          .defaults = {},
          .summary = "the server, with Ollama's variables",
          .words = Words::passed_on_with_flags,
          .subcommands = "serve start"};
}

}  // namespace qn::cli
