// llama-cli: the command line of llama.cpp's terminal program.
//   source   llama.cpp tools/cli, August 2026
#include "cli/persona.h"

namespace qn::cli {
namespace {

constexpr auto map = Treatment::map;
constexpr auto no_op = Treatment::no_op;
constexpr auto refuse = Treatment::refuse;
constexpr auto nothing = Takes::nothing;
constexpr auto value = Takes::value;

constexpr PersonaFlag flags[] = {
    {"-m --model", value, map, "--model"},
    {"-p --prompt", value, map, "--prompt"},
    {"-c --ctx-size", value, map, "--ctx"},
};

}  // namespace

Persona persona_llama_cli() {
  (void)no_op, (void)refuse, (void)nothing;
  return {"llama-cli", "run", flags, {}, "chat or completion in the terminal, with llama.cpp's flags"};
}

}  // namespace qn::cli
