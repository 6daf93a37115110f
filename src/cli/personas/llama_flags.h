// What the tools of llama.cpp have in common: rows of their tables, and the words that say why a flag has no effect here.
#pragma once

#include <array>
#include <cstddef>

#include "cli/persona.h"

namespace qn::cli::llama {

inline constexpr auto map = Treatment::map;
inline constexpr auto no_op = Treatment::no_op;
inline constexpr auto refuse = Treatment::refuse;
inline constexpr auto nothing = Takes::nothing;
inline constexpr auto value = Takes::value;
inline constexpr auto maybe = Takes::optional_value;
inline constexpr std::string_view on_off_auto = "on off auto 1 0 true false enabled disabled";
inline constexpr std::string_view no_scaling = "the scaling in the model's file is used; leave it out";
inline constexpr std::string_view no_sampler = "this version has no such sampler; leave it out";
inline constexpr std::string_view same_threads = "the threads that write replies read prompts too, as the flag without -batch says";
inline constexpr std::string_view cpu_only = "no GPU is used";
inline constexpr std::string_view always_on = "it is always so";
inline constexpr std::string_view plain_log = "warnings go to stderr, and there is no other log";

// Several tables as one.
template <std::size_t... sizes>
constexpr auto joined(const PersonaFlag (&... tables)[sizes]) {
  std::array<PersonaFlag, (sizes + ...)> all{};
  std::size_t next = 0;
  const auto take = [&all, &next](const auto& table) {
    for (const PersonaFlag& flag : table) all[next++] = flag;
  };
  (take(tables), ...);
  return all;
}

// Threads, where they run, devices, and how a file is read.
inline constexpr PersonaFlag machine_flags[] = {
    {"-t --threads", value, map, "--threads"},
    {"-tb --threads-batch", value, map, "--threads-batch"},
    {"-ngl --gpu-layers --n-gpu-layers", value, map, "--n-gpu-layers"},
    {"-C --cpu-mask", value, map, "--cpu-mask"},
    {"-Cr --cpu-range", value, map, "--cpu-range"},
    {"--cpu-strict", value, map, "--cpu-strict"},
    {"--numa", value, map, "--numa"},
    {"--prio", value, map, "--prio"},
    {"--poll", value, map, "--poll"},
    {"-Cb --cpu-mask-batch -Crb --cpu-range-batch --cpu-strict-batch --prio-batch --poll-batch", value, no_op, "", same_threads},
    {"-dev --device -sm --split-mode -ts --tensor-split -mg --main-gpu", value, no_op, "", cpu_only},
    {"-ot --override-tensor -ncmoe --n-cpu-moe", value, no_op, "", cpu_only},
    {"-cmoe --cpu-moe -nkvo --no-kv-offload --no-op-offload --no-host", nothing, no_op, "", cpu_only},
    {"-lm --load-mode", value, map, "--load-mode"},
    {"--mlock", nothing, map, "--mlock"},
    {"--mmap", nothing, map, "--mmap"},
    {"--no-mmap", nothing, map, "--no-mmap"},
    {"-dio --direct-io -ndio --no-direct-io", nothing, no_op, "", "files are read through the system's cache"},
    {"--repack --no-repack -nr", nothing, no_op, "", "weights are read as they lie in the file"},
};

inline constexpr PersonaFlag sampling_flags[] = {
    {"--temp --temperature", value, map, "--temp"},
    {"--top-k", value, map, "--top-k"},
    {"--top-p", value, map, "--top-p"},
    {"--min-p", value, map, "--min-p"},
    {"--typical --typical-p", value, map, "--typical"},
    {"--top-n-sigma --top-nsigma", value, map, "--top-n-sigma"},
    {"--repeat-last-n", value, map, "--repeat-last-n"},
    {"--repeat-penalty", value, map, "--repeat-penalty"},
    {"--presence-penalty", value, map, "--presence-penalty"},
    {"--frequency-penalty", value, map, "--frequency-penalty"},
    {"--xtc-probability", value, map, "--xtc-probability"},
    {"--xtc-threshold", value, map, "--xtc-threshold"},
    {"--dry-multiplier", value, map, "--dry-multiplier"},
    {"--dry-base", value, map, "--dry-base"},
    {"--dry-allowed-length", value, map, "--dry-allowed-length"},
    {"--dry-penalty-last-n", value, map, "--dry-penalty-last-n"},
    {"--dry-sequence-breaker", value, refuse, "", no_sampler},
    {"-s --seed", value, map, "--seed"},
    {"--samplers --sampler-seq --sampling-seq", value, refuse, "", "the order of the samplers is fixed; leave it out"},
    {"--dynatemp-range --dynatemp-exp --mirostat --mirostat-lr --mirostat-ent --adaptive-target --adaptive-decay", value, refuse, "",
     no_sampler},
    {"-bs --backend-sampling", nothing, no_op, "", cpu_only},
};

inline constexpr PersonaFlag log_flags[] = {
    {"-v --verbose --log-verbose --log-disable --log-prefix --log-timestamps --no-log-prefix --no-log-timestamps", nothing, no_op, "",
     plain_log},
    {"-lv --verbosity --log-verbosity --log-file", value, no_op, "", plain_log},
    {"--log-colors", maybe, no_op, "", plain_log, on_off_auto},
};

}  // namespace qn::cli::llama
