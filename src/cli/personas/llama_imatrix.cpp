// llama-imatrix: the command line of llama.cpp's tool that makes importance matrices.
//   source   llama.cpp tools/imatrix and common/arg, August 2026
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
constexpr std::string_view fixed_batch = "the size of a step does not change the sums";
constexpr std::string_view mapped = "files are always mapped";
constexpr std::string_view plain_log = "warnings go to stderr, and there is no other log";

constexpr PersonaFlag flags[] = {
    {"-m --model", value, map, "--model"},
    {"-f --file", value, map, "--file"},
    {"-o --output --output-file", value, map, "--output"},
    {"--output-format", value, map, "--output-format"},
    {"-c --ctx-size", value, map, "--ctx"},
    {"--chunk --from-chunk", value, map, "--chunk"},
    {"--chunks", value, map, "--chunks"},
    {"-ofreq --output-frequency", value, map, "--output-frequency"},
    {"--save-frequency", value, map, "--save-frequency"},
    {"--in-file", value, map, "--in-file"},
    {"--process-output", nothing, map, "--process-output"},
    {"--parse-special", nothing, map, "--parse-special"},
    {"--show-statistics", nothing, map, "--show-statistics"},
    {"-t --threads", value, map, "--threads"},
    {"--no-ppl", nothing, no_op, "", "perplexity is not computed here; quern perplexity does"},
    {"--ppl", nothing, no_op, "", "perplexity is not computed here; quern perplexity does"},
    {"-p --prompt", value, refuse, "", "give a text with -f"},
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
    {"--mlock --mmap --no-mmap", nothing, no_op, "", mapped},
    {"-v --verbose --log-verbose --log-disable", nothing, no_op, "", plain_log},
    {"-lv --verbosity --log-verbosity --log-file", value, no_op, "", plain_log},
};

}  // namespace

Persona persona_llama_imatrix() {
  return {"llama-imatrix", "imatrix", flags, {}, "an importance matrix, with llama.cpp's flags"};
}

}  // namespace qn::cli
