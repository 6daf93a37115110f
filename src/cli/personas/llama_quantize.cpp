// llama-quantize: llama-quantize [flags] IN [OUT] TYPE [THREADS]
//   source   llama.cpp tools/quantize, August 2026
#include "cli/persona.h"

namespace qn::cli {
namespace {

constexpr auto map = Treatment::map;
constexpr auto refuse = Treatment::refuse;
constexpr auto nothing = Takes::nothing;
constexpr auto value = Takes::value;

constexpr std::string_view no_search = "types are chosen by the mix, not searched for; leave it out";

constexpr PersonaFlag flags[] = {
    {"--allow-requantize", nothing, map, "--requantize"},
    {"--leave-output-tensor", nothing, map, "--keep-output"},
    {"--pure", nothing, map, "--pure"},
    {"--imatrix", value, map, "--imatrix"},
    {"--include-weights", value, map, "--include-weights"},
    {"--exclude-weights", value, map, "--exclude-weights"},
    {"--output-tensor-type", value, map, "--output-type"},
    {"--token-embedding-type", value, map, "--embedding-type"},
    {"--tensor-type", value, map, "--tensor-type"},
    {"--tensor-type-file", value, map, "--tensor-type-file"},
    {"--prune-layers", value, map, "--without-layers"},
    {"--keep-split", nothing, map, "--keep-split"},
    {"--override-kv", value, map, "--set"},
    {"--dry-run", nothing, map, "--dry-run"},
    {"--target-bpw --target-size --state-file", value, refuse, "", no_search},
};

}  // namespace

Persona persona_llama_quantize() {
  return {"llama-quantize", "quantize", flags, {}, "a model in a smaller format, with llama.cpp's flags", Words::passed_on};
}

}  // namespace qn::cli
