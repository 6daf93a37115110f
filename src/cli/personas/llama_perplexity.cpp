// llama-perplexity: the command line of llama.cpp's tool of that name, as far as it measures perplexity and divergence.
//   source   llama.cpp tools/perplexity and common/arg, August 2026
#include "cli/persona.h"

namespace qn::cli {
namespace {

constexpr auto map = Treatment::map;
constexpr auto no_op = Treatment::no_op;
constexpr auto refuse = Treatment::refuse;
constexpr auto nothing = Takes::nothing;
constexpr auto value = Takes::value;
constexpr auto maybe = Takes::optional_value;

constexpr std::string_view on_off_auto = "on off auto 1 0 true false enabled disabled";
constexpr std::string_view always_on = "it is always so";
constexpr std::string_view cpu_only = "no GPU is used";
constexpr std::string_view fixed_batch = "the size of a step does not change the result";
constexpr std::string_view no_task = "this version measures perplexity and divergence only";

constexpr PersonaFlag flags[] = {
    {"-m --model", value, map, "--model"},
    {"-f --file", value, map, "--file"},
    {"-c --ctx-size", value, map, "--ctx"},
    {"--chunks", value, map, "--chunks"},
    {"-t --threads", value, map, "--threads"},
    {"--kl-divergence-base --save-all-logits", value, map, "--kl-divergence-base"},
    {"--kl-divergence", nothing, map, "--kl-divergence"},
    {"-b --batch-size -ub --ubatch-size -np --parallel", value, no_op, "", fixed_batch},
    {"-tb --threads-batch", value, map, "--threads-batch"},
    {"-C --cpu-mask", value, map, "--cpu-mask"},
    {"-Cr --cpu-range", value, map, "--cpu-range"},
    {"--cpu-strict", value, map, "--cpu-strict"},
    {"--numa", value, map, "--numa"},
    {"--prio", value, map, "--prio"},
    {"--poll", value, map, "--poll"},
    {"-ngl --gpu-layers --n-gpu-layers -dev --device -sm --split-mode -ts --tensor-split -mg --main-gpu", value, no_op, "", cpu_only},
    {"-fa --flash-attn", maybe, no_op, "", always_on, on_off_auto},
    {"--mlock", nothing, map, "--mlock"},
    {"--mmap", nothing, map, "--mmap"},
    {"--no-mmap", nothing, map, "--no-mmap"},
    {"--ppl-stride --ppl-output-type", value, refuse, "", "windows do not overlap, and one line is printed; leave it out"},
    {"--hellaswag --winogrande --multiple-choice", nothing, refuse, "", no_task},
    {"--hellaswag-tasks --winogrande-tasks --multiple-choice-tasks", value, refuse, "", no_task},
};

// It says how far it is after every window.
constexpr std::string_view defaults[] = {"--verbose"};

}  // namespace

Persona persona_llama_perplexity() {
  return {"llama-perplexity", "perplexity", flags, defaults, "perplexity and divergence, with llama.cpp's flags"};
}

}  // namespace qn::cli
