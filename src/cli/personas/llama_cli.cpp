// llama-cli: the command line of llama.cpp's terminal program. Its values override a model's own only where they are given.
//   source   llama.cpp tools/cli and common/arg, August 2026
#include "cli/personas/llama_flags.h"

namespace qn::cli {
namespace {

using namespace llama;

constexpr std::string_view later = "this version does not offer it; leave it out";
constexpr std::string_view no_download = "this version downloads nothing; give a file with -m";
constexpr std::string_view no_constraint = "this version does not constrain replies; leave it out";
constexpr std::string_view no_speculation = "this version does not speculate; leave it out";
constexpr std::string_view fixed_batch = "the size of a step is chosen for this machine";

constexpr PersonaFlag own_flags[] = {
    // The model and its window.
    {"-m --model", value, map, "--model"},
    {"-c --ctx-size", value, map, "--ctx"},
    {"-n --predict --n-predict", value, map, "--predict"},
    {"-ctk --cache-type-k", value, map, "--cache-type-k"},
    {"-ctv --cache-type-v", value, map, "--cache-type-v"},
    {"-mu --model-url", value, refuse, "", no_download},
    {"-hf -hfr --hf-repo -hff --hf-file -dr --docker-repo", value, refuse, "", no_download},
    {"-hft --hf-token", value, no_op, "", "nothing is downloaded"},
    {"--offline", nothing, no_op, "", always_on},
    {"--lora --lora-scaled --control-vector --control-vector-scaled --control-vector-layer-range", value, refuse, "", later},
    {"-mm --mmproj --image --audio", value, refuse, "", "this version runs text models only; leave it out"},
    {"--override-kv", value, refuse, "", later},
    {"--check-tensors", nothing, no_op, "", "every tensor is checked when it is loaded"},
    {"--rope-scaling --rope-scale --rope-freq-base --rope-freq-scale", value, refuse, "", no_scaling},
    {"--yarn-orig-ctx --yarn-ext-factor --yarn-attn-factor --yarn-beta-slow --yarn-beta-fast", value, refuse, "", no_scaling},

    // The machine.
    {"-b --batch-size -ub --ubatch-size", value, no_op, "", fixed_batch},
    {"-fit --fit -fitt --fit-target -fitc --fit-ctx", value, no_op, "", "what is not set is fitted to the memory there is"},
    {"-fa --flash-attn", maybe, no_op, "", always_on, on_off_auto},
    {"--warmup --no-warmup", nothing, no_op, "", "there is nothing to warm up"},
    {"--context-shift --no-context-shift", nothing, no_op, "", "a full window ends the reply, and a chat leaves out its oldest messages"},
    {"--keep", value, no_op, "", "a full window ends the reply"},
    {"-kvu --kv-unified -no-kvu --no-kv-unified -cb --cont-batching -nocb --no-cont-batching --swa-full", nothing, no_op, "", always_on},
    {"-np --parallel -cram --cache-ram", value, no_op, "", "there is one chat"},

    // The chat.
    {"-p --prompt", value, map, "--prompt"},
    {"-f --file", value, map, "--prompt-file"},
    {"-sys --system-prompt", value, map, "--system"},
    {"-sysf --system-prompt-file", value, map, "--system-file"},
    {"-no-cnv --no-conversation", nothing, map, "--raw"},
    {"-cnv --conversation", nothing, map, "--chat"},
    {"-st --single-turn", nothing, map, "--single-turn"},
    {"-e --escape", nothing, map, "--escape=true"},
    {"--no-escape", nothing, map, "--escape=false"},
    {"--display-prompt", nothing, map, "--echo=true"},
    {"--no-display-prompt", nothing, map, "--echo=false"},
    {"--chat-template-file", value, map, "--chat-template-file"},
    {"--chat-template", value, map, "--chat-template"},
    {"--chat-template-kwargs", value, map, "--chat-template-kwargs"},
    {"--jinja", nothing, no_op, "", always_on},
    {"--no-jinja", nothing, refuse, "", "templates are always Jinja; leave it out"},
    {"--skip-chat-parsing --no-skip-chat-parsing --prefill-assistant --no-prefill-assistant", nothing, no_op, "",
     "a chat shows thinking and answer as they come"},
    {"--reasoning-format", value, no_op, "", "thinking is shown apart from the answer"},
    {"-rea --reasoning", value, map, "--think"},
    {"--reasoning-effort", value, map, "--think"},
    {"--reasoning-budget --reasoning-budget-message", value, no_op, "", "thinking is not cut; -rea off answers without it"},
    {"-mli --multiline-input", nothing, no_op, "", "lines between \"\"\" are one message"},
    {"-sp --special", nothing, no_op, "", "special tokens are not shown"},
    {"--color -co", maybe, no_op, "", "colours follow NO_COLOR, CLICOLOR_FORCE and the terminal", on_off_auto},
    {"--simple-io", nothing, map, "--nowordwrap"},
    {"--show-timings --perf", nothing, map, "--verbose"},
    {"--no-show-timings --no-perf", nothing, no_op, "", "times are printed only on request"},
    {"-r --reverse-prompt", value, map, "--stop"},
    {"-i --interactive -if --interactive-first --in-prefix-bos", nothing, refuse, "", "of llama-completion; leave it out to chat"},
    {"--in-prefix --in-suffix --prompt-cache", value, refuse, "", "of llama-completion; leave it out"},
    {"-o --output --output-file", value, refuse, "", "write stdout to a file with > instead"},
    {"--server-base", value, refuse, "", later},

    // Sampling.
    {"-l --logit-bias", value, map, "--logit-bias"},
    {"--ignore-eos", nothing, map, "--ignore-eos"},
    {"--grammar --grammar-file -j --json-schema -jf --json-schema-file", value, refuse, "", no_constraint},

    // Speculation.
    {"-md --model-draft --spec-type --spec-draft-n-max --spec-draft-n-min --draft --draft-max --draft-n-max --draft-min --draft-n-min",
     value, refuse, "", no_speculation},
    {"-ngld --gpu-layers-draft --n-gpu-layers-draft", value, no_op, "", cpu_only},

};
constexpr auto flags = joined(own_flags, machine_flags, sampling_flags, log_flags);

// llama-cli reads escapes in -p, prints the prompt of a completion, and goes on chatting after -p.
constexpr std::string_view defaults[] = {"--escape=true", "--echo=true", "--chat"};

}  // namespace

Persona persona_llama_cli() {
  return {"llama-cli", "run", flags, defaults, "chat or completion in the terminal, with llama.cpp's flags"};
}

}  // namespace qn::cli
