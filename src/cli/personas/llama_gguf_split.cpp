// llama-gguf-split: llama-gguf-split [flags] IN OUT
//   source   llama.cpp tools/gguf-split, August 2026
#include "cli/persona.h"

namespace qn::cli {
namespace {

constexpr auto map = Treatment::map;
constexpr auto nothing = Takes::nothing;
constexpr auto value = Takes::value;

constexpr PersonaFlag flags[] = {
    {"--split", nothing, map, "--split"},
    {"--merge", nothing, map, "--merge"},
    {"--split-max-tensors", value, map, "--split-max-tensors"},
    {"--split-max-size", value, map, "--split-max-size"},
    {"--no-tensor-first-split", nothing, map, "--no-tensor-first-split"},
    {"--dry-run", nothing, map, "--dry-run"},
    {"--delete-splits", nothing, map, "--delete-splits"},
};

}  // namespace

Persona persona_llama_gguf_split() {
  return {"llama-gguf-split", "split", flags, {}, "a model file in parts, or parts in one, with llama.cpp's flags", Words::passed_on};
}

}  // namespace qn::cli
