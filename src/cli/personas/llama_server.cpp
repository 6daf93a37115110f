// llama-server: the command line of llama.cpp's server. One model from a file; what is said of sampling is for requests that say nothing.
//   source   llama.cpp tools/server and common/arg, August 2026
#include "cli/personas/llama_flags.h"
#include "cli/personas/server_rules.h"

namespace qn::cli {
namespace {

using namespace llama;

constexpr std::string_view later = "this version does not offer it; leave it out";
constexpr std::string_view no_download = "this version downloads nothing; give a file with -m";
constexpr std::string_view no_agent = "the server runs no tools itself; leave it out";
constexpr std::string_view no_draft_model = "this version drafts from the text itself; leave it out and give --spec-draft-n-max";
constexpr std::string_view by_content = "prefixes are found by their content, and kept while there is room";
constexpr std::string_view in_requests = "each request says what it wants";

// "ngram-mod" and the like draft from the text itself, as we do.
Result<std::string> draft_tokens(std::string_view type) {
  if (type == "none") return "0";
  if (type.starts_with("ngram")) return "3";
  return fail(Code::unsupported, "{}: {}", quoted(type), no_draft_model);
}

// Seconds; -1: never.
Result<std::string> idle_time(std::string_view seconds) {
  return seconds == "-1" ? std::string(seconds) : fmt::format("{}s", seconds);
}

constexpr PersonaFlag own_flags[] = {
    // The model and its window.
    {"-m --model", value, map, "--model"},
    {"-a --alias", value, map, "--alias"},
    {"-c --ctx-size", value, map, "--ctx"},
    {"-n --predict --n-predict", value, map, "--predict"},
    {"-np --parallel", value, map, "--parallel"},
    {"-ub --ubatch-size", value, map, "--max-num-batched-tokens"},
    {"-b --batch-size", value, no_op, "", "--ubatch-size says how many tokens a step has"},
    {"-ctk --cache-type-k", value, map, "--cache-type-k"},
    {"-ctv --cache-type-v", value, map, "--cache-type-v"},
    {"-mu --model-url", value, refuse, "", no_download},
    {"-hf -hfr --hf-repo -hff --hf-file -dr --docker-repo", value, refuse, "", no_download},
    {"-hft --hf-token", value, no_op, "", "nothing is downloaded"},
    {"--offline", nothing, no_op, "", always_on},
    {"--models-dir", value, map, "--models-dir"},
    {"--models-max", value, map, "--max-loaded"},
    {"--models-preset", value, refuse, "", later},
    {"--models-autoload --no-models-autoload", nothing, no_op, "", "a model is loaded when it is first asked for"},
    {"--sleep-idle-seconds", value, map, "--keep-alive", {}, {}, idle_time},
    {"--lora --lora-scaled --control-vector --control-vector-scaled --control-vector-layer-range", value, refuse, "", later},
    {"--lora-init-without-apply", nothing, no_op, "", "there are no adapters"},
    {"-mm --mmproj --mmproj-url", value, refuse, "", "this version runs text models only; leave it out"},
    {"--no-mmproj --mmproj-offload --no-mmproj-offload", nothing, no_op, "", "this version runs text models only"},
    {"--override-kv", value, refuse, "", later},
    {"--check-tensors", nothing, no_op, "", "every tensor is checked when it is loaded"},
    {"--rope-scaling --rope-scale --rope-freq-base --rope-freq-scale", value, refuse, "", no_scaling},
    {"--yarn-orig-ctx --yarn-ext-factor --yarn-attn-factor --yarn-beta-slow --yarn-beta-fast", value, refuse, "", no_scaling},
    {"-fit --fit -fitt --fit-target -fitc --fit-ctx", value, no_op, "", "what is not set is fitted to the memory there is"},
    {"-fa --flash-attn", maybe, no_op, "", always_on, on_off_auto},
    {"--warmup --no-warmup", nothing, no_op, "", "there is nothing to warm up"},
    {"--context-shift --no-context-shift", nothing, no_op, "", "a full window ends the reply"},
    {"--keep", value, no_op, "", "a full window ends the reply"},
    {"-cb --cont-batching -nocb --no-cont-batching -kvu --kv-unified -no-kvu --no-kv-unified --swa-full", nothing, no_op, "", always_on},
    {"-cram --cache-ram -ctxcp --ctx-checkpoints --swa-checkpoints --cache-reuse -sps --slot-prompt-similarity", value, no_op, "",
     by_content},
    {"--cache-prompt --no-cache-prompt --cache-idle-slots --no-cache-idle-slots", nothing, no_op, "", by_content},
    {"--slot-save-path", value, no_op, "", "prefixes are not saved to files"},

    // The server.
    {"--host", value, map, "--host"},
    {"--port", value, map, "--port"},
    {"--api-key", value, map, "--api-key"},
    {"--api-key-file", value, map, "--api-key-file"},
    {"--ssl-key-file", value, map, "--tls-key"},
    {"--ssl-cert-file", value, map, "--tls-cert"},
    {"--api-prefix", value, refuse, "", "paths are as clients know them; let a proxy take the prefix away"},
    {"--path", value, refuse, "", "it serves no files; leave it out"},
    {"--ui --webui --no-ui --no-webui", nothing, no_op, "", "this version has no page of its own"},
    {"-to --timeout", value, no_op, "", "limits on slow clients are set with quern serve --limit"},
    {"--threads-http", value, no_op, "", "one thread serves all connections"},
    {"--sse-ping-interval", value, no_op, "", in_requests},
    {"--metrics --props --slots --no-slots", nothing, no_op, "", "they are always there"},
    {"--embedding --embeddings --rerank --reranking", nothing, no_op, "", "every model embeds and ranks"},
    {"--pooling", value, no_op, "", "the model's file says how it pools"},
    {"--embd-normalize", value, no_op, "", in_requests},
    {"--media-path", value, no_op, "", "this version runs text models only"},
    {"--tags", value, no_op, "", "models are listed by name"},
    {"--tools --mcp-servers-config --rpc", value, refuse, "", no_agent},
    {"--agent", nothing, refuse, "", no_agent},

    // The chat.
    {"--chat-template", value, map, "--chat-template"},
    {"--chat-template-file", value, map, "--chat-template-file"},
    {"--chat-template-kwargs", value, map, "--chat-template-kwargs"},
    {"--jinja", nothing, no_op, "", always_on},
    {"--no-jinja", nothing, refuse, "", "templates are always Jinja; leave it out"},
    {"--skip-chat-parsing --no-skip-chat-parsing --prefill-assistant --no-prefill-assistant", nothing, no_op, "", in_requests},
    {"--reasoning-format", value, no_op, "", in_requests},
    {"-rea --reasoning", value, map, "--think"},
    {"--reasoning-effort", value, map, "--think"},
    {"--reasoning-budget", value, map, "--thinking-budget"},
    {"--reasoning-budget-message", value, no_op, "", "thinking that is cut ends without a word of ours"},
    {"-sp --special", nothing, no_op, "", in_requests},
    {"-r --reverse-prompt", value, map, "--stop"},
    {"-l --logit-bias", value, refuse, "", in_requests},
    {"--ignore-eos", nothing, refuse, "", "a reply without an end is asked for with ignore_eos in a request"},
    {"--grammar --grammar-file -j --json-schema -jf --json-schema-file", value, refuse, "", in_requests},

    // Speculation.
    {"--spec-draft-n-max --draft --draft-max --draft-n --draft-n-max", value, map, "--speculative"},
    {"--spec-type", value, map, "--speculative", {}, {}, draft_tokens},
    {"-md --model-draft -hfd --hf-repo-draft", value, refuse, "", no_draft_model},
    {"--spec-draft-n-min --draft-min --draft-n-min --draft-p-min --spec-draft-p-min", value, no_op, "",
     "drafts are as long as the text suggests"},
    {"-ngld --gpu-layers-draft --n-gpu-layers-draft -devd --device-draft -td --threads-draft -cd --ctx-size-draft", value, no_op, "",
     "there is no draft model"},
};
constexpr auto flags = joined(own_flags, machine_flags, sampling_flags, log_flags);

constexpr std::string_view defaults[] = {"--port=8080"};

// Its clients may call the model what they like, and it listens wherever it is told to.
void finish(Translation& ours) {
  if (!ours.has("--models-dir")) ours.args.emplace_back("--any-name");
  if (const auto model = ours.value("--model"); model && !ours.has("--alias"))
    ours.args.push_back(fmt::format("--served-model-name={}", *model));
  open_as_told(ours);
}

}  // namespace

Persona persona_llama_server() {
  return {.tool = "llama-server",
          .command = "serve",
          .flags = flags,
          .defaults = defaults,
          .summary = "the server, with llama.cpp's flags",
          .finish = finish};
}

}  // namespace qn::cli
