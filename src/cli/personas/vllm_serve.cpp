// vllm serve MODEL: the command line of vLLM's server.
//   source   vLLM 0.8 to 2026, vllm/engine/arg_utils.py and vllm/entrypoints/openai/cli_args.py
#include "base/json.h"
#include "cli/personas/server_rules.h"

namespace qn::cli {
namespace {

constexpr auto map = Treatment::map;
constexpr auto no_op = Treatment::no_op;
constexpr auto refuse = Treatment::refuse;
constexpr auto nothing = Takes::nothing;
constexpr auto value = Takes::value;
constexpr auto values = Takes::values;

constexpr std::string_view later = "this version does not offer it; leave it out";
constexpr std::string_view no_gpu = "no GPU is used";
constexpr std::string_view always_on = "it is always so";
constexpr std::string_view by_template = "what the model's template says is known; nothing has to be named";
constexpr std::string_view no_download = "nothing is downloaded";
constexpr std::string_view text_only = "this version runs text models only";
constexpr std::string_view no_scaling = "the scaling in the model's file is used; leave it out";
constexpr std::string_view own_log = "one line a request is logged; quern serve --no-access-log leaves it out";
constexpr std::string_view own_kernels = "there is one set of kernels, and no graph to compile";
constexpr std::string_view own_pool = "text is tokenized by a few threads of the server";

// The nearest type that a cache can have here.
Result<std::string> cache_type(std::string_view type) {
  struct Row {
    std::string_view theirs, ours;
  };
  static constexpr Row rows[] = {{"auto", "f16"}, {"float16", "f16"},   {"half", "f16"},      {"bfloat16", "bf16"}, {"float32", "f32"},
                                 {"fp8", "q8_0"}, {"fp8_e4m3", "q8_0"}, {"fp8_e5m2", "q8_0"}, {"int8", "q8_0"}};
  for (const Row& row : rows)
    if (row.theirs == type) return std::string(row.ours);
  return std::string(type);  // ours by name, or refused with the list of ours
}

// vLLM takes a JSON list, ours are separated by commas.
Result<std::string> json_list(std::string_view text) {
  if (!text.starts_with('[')) return std::string(text);
  const Result<json::Value> list = json::parse(text);
  if (!list || !list->is_array()) return fail(Code::bad_input, "expected a JSON list of texts, got {}", quoted(text));
  std::string joined;
  for (const json::Value& item : list->as_array()) {
    if (!item.is_string()) return fail(Code::bad_input, "expected a JSON list of texts, got {}", quoted(text));
    joined += (joined.empty() ? "" : ",") + std::string(item.as_string());
  }
  return joined;
}

Result<std::string> socket_path(std::string_view path) {
  return fmt::format("unix:{}", path);
}

// {"method": "ngram", "num_speculative_tokens": 4, …} as a number of tokens.
Result<std::string> draft_tokens(std::string_view text) {
  const Result<json::Value> config = json::parse(text);
  const json::Object* object = config ? config->if_object() : nullptr;
  if (object == nullptr) return fail(Code::bad_input, "expected a JSON object, got {}", quoted(text));
  const json::Value* method = object->if_contains("method");
  if (method == nullptr) method = object->if_contains("model");  // as it was called once: "[ngram]"
  const std::string_view name = method != nullptr && method->is_string() ? std::string_view(method->as_string()) : "none";
  if (name != "ngram" && name != "[ngram]")
    return fail(Code::unsupported,
                "{}: this version drafts from the text itself; give {{\"method\": \"ngram\", \"num_speculative_tokens\": 4}}",
                quoted(name));
  const json::Value* count = object->if_contains("num_speculative_tokens");
  if (count == nullptr || !count->is_int64()) return fail(Code::bad_input, "num_speculative_tokens: missing; give a number such as 4");
  return std::to_string(count->as_int64());
}

constexpr PersonaFlag flags[] = {
    // The model.
    {"--model", value, map, "--model"},
    {"--served-model-name", values, map, "--served-model-name"},
    {"--max-model-len", value, map, "--max-model-len"},
    {"--generation-config", value, map, "--generation-config"},
    {"--override-generation-config", value, map, "--default-parameters"},
    {"--seed", value, map, "--seed"},
    {"--chat-template", value, map, "--chat-template"},
    {"--chat-template-content-format", value, no_op, "", "a template gets the messages in the form that it reads"},
    {"--default-chat-template-kwargs", value, map, "--chat-template-kwargs"},
    {"--trust-request-chat-template --no-trust-request-chat-template", nothing, no_op, "",
     "templates come from the model or the command line"},
    {"--response-role", value, refuse, "", later},
    {"--enable-auto-tool-choice --no-enable-auto-tool-choice --enable-reasoning --no-enable-reasoning", nothing, no_op, "", by_template},
    {"--tool-call-parser --reasoning-parser", value, no_op, "", by_template},
    {"--tool-parser-plugin --reasoning-parser-plugin", value, refuse, "", "no code from outside is run; leave it out"},
    {"--exclude-tools-when-tool-choice-none --no-exclude-tools-when-tool-choice-none", nothing, no_op, "", "the template decides"},
    {"--dtype", value, no_op, "", "weights keep the types of their file, and sums are taken in float32"},
    {"-q --quantization", value, no_op, "", "the file says how its weights are stored, and the best kernel for that is always used"},
    {"--rope-scaling --rope-theta --hf-overrides", value, refuse, "", no_scaling},
    {"--tokenizer --hf-config-path --config-format --tokenizer-revision --code-revision", value, no_op, "",
     "the model's file has everything"},
    {"--tokenizer-mode --model-impl --runner --task --convert", value, no_op, "", "the model's file says what it is"},
    {"--revision --download-dir --load-format --hf-token --ignore-patterns --model-loader-extra-config", value, no_op, "", no_download},
    {"--trust-remote-code --no-trust-remote-code", nothing, no_op, "", "no code from models is run, ever"},
    {"--skip-tokenizer-init", nothing, refuse, "", later},
    {"--use-tqdm-on-load --no-use-tqdm-on-load --enable-multimodal-encoder-data-parallel", nothing, no_op, "", text_only},
    {"--limit-mm-per-prompt --mm-processor-kwargs --mm-processor-cache-gb --allowed-local-media-path", value, no_op, "", text_only},
    {"--allowed-media-domains", values, no_op, "", text_only},
    {"--enable-lora --no-enable-lora", nothing, refuse, "", later},
    {"--lora-modules", values, refuse, "", later},
    {"--max-loras --max-lora-rank --max-cpu-loras --lora-dtype --lora-extra-vocab-size", value, no_op, "", "there are no adapters"},
    {"--logits-processor-pattern --logits-processors", values, refuse, "", "no code from outside is run; leave it out"},

    // Memory and batches.
    {"--max-num-seqs", value, map, "--max-num-seqs"},
    {"--max-num-batched-tokens", value, map, "--max-num-batched-tokens"},
    {"--block-size", value, map, "--block-size"},
    {"--kv-cache-memory-bytes --kv-cache-memory", value, map, "--kv-memory"},
    {"--kv-cache-dtype", value, map, "--kv-type", {}, {}, cache_type},
    {"--calculate-kv-scales --no-calculate-kv-scales", nothing, no_op, "", "a quantized cache has a scale in every block"},
    {"--gpu-memory-utilization", value, no_op, "", "no GPU is used; quern serve --memory bounds what models take"},
    {"--swap-space --cpu-offload-gb", value, no_op, "", no_gpu},
    {"--num-gpu-blocks-override", value, no_op, "", "--kv-cache-memory-bytes says it in bytes"},
    {"--enable-prefix-caching --no-enable-prefix-caching", nothing, no_op, "",
     "prefixes are always shared within one key; a request with cache_salt has its own"},
    {"--prefix-caching-hash-algo", value, no_op, "", "prefixes are compared token by token"},
    {"--enable-chunked-prefill --no-enable-chunked-prefill --async-scheduling --no-async-scheduling", nothing, no_op, "", always_on},
    {"--max-num-partial-prefills --max-long-partial-prefills --long-prefill-token-threshold --num-scheduler-steps --scheduler-delay-factor",
     value, no_op, "", "prompts are read beside replies in steps of --max-num-batched-tokens"},
    {"--scheduling-policy --scheduler-cls", value, no_op, "", "a request's priority always counts"},
    {"--max-logprobs", value, no_op, "", "a request may ask for as many as the API allows"},
    {"--logprobs-mode", value, no_op, "", "they are those of the model, before sampling"},
    {"--speculative-config", value, map, "--speculative", {}, {}, draft_tokens},
    {"--num-speculative-tokens --ngram-prompt-lookup-max --ngram-prompt-lookup-min --speculative-model", value, refuse, "",
     "write it as --speculative-config '{\"method\": \"ngram\", \"num_speculative_tokens\": 4}'"},

    // The machine.
    {"-tp --tensor-parallel-size", value, map, "--tensor-parallel"},
    {"-pp --pipeline-parallel-size -dp --data-parallel-size", value, map, "--tensor-parallel"},
    {"--data-parallel-size-local --data-parallel-address --data-parallel-rpc-port --data-parallel-backend --data-parallel-start-rank",
     value, no_op, "", "one process computes"},
    {"--nnodes --node-rank --master-addr --master-port --max-parallel-loading-workers --ray-workers-use-nsight", value, no_op, "",
     "one process computes"},
    {"--enable-expert-parallel --no-enable-expert-parallel --headless", nothing, no_op, "", "one process computes"},
    {"--distributed-executor-backend --worker-cls --worker-extension-cls", value, no_op, "", "one process computes"},
    {"--disable-custom-all-reduce --no-disable-custom-all-reduce", nothing, no_op, "", "one process computes"},
    {"--device --device-config", value, no_op, "", no_gpu},
    {"--enforce-eager --no-enforce-eager", nothing, no_op, "", own_kernels},
    {"--compilation-config -O --max-seq-len-to-capture --attention-backend --cuda-graph-sizes --additional-config", value, no_op, "",
     own_kernels},
    {"-O0 -O1 -O2 -O3", nothing, no_op, "", own_kernels},
    {"--tokenizer-pool-size --tokenizer-pool-type --tokenizer-pool-extra-config", value, no_op, "", own_pool},
    {"--api-server-count -asc", value, no_op, "", "one thread serves all connections"},
    {"--guided-decoding-backend --structured-outputs-config", value, no_op, "", "there is one way to constrain replies"},
    {"--disable-frontend-multiprocessing --disable-cascade-attn --no-disable-cascade-attn", nothing, no_op, "", own_kernels},
    {"--enable-sleep-mode --no-enable-sleep-mode", nothing, no_op, "", "an idle model takes no time"},

    // The server.
    {"--host", value, map, "--host"},
    {"--port", value, map, "--port"},
    {"--uds", value, map, "--host", {}, {}, socket_path},
    {"--api-key", values, map, "--api-key"},
    {"--ssl-keyfile", value, map, "--tls-key"},
    {"--ssl-certfile", value, map, "--tls-cert"},
    {"--ssl-ca-certs --ssl-cert-reqs", value, refuse, "", "clients show keys, not certificates; leave it out"},
    {"--enable-ssl-refresh", nothing, no_op, "", "SIGHUP reads certificates again"},
    {"--allowed-origins", value, map, "--allowed-origin", {}, {}, json_list},
    {"--allowed-methods --allowed-headers", value, no_op, "", "those that the API has are allowed"},
    {"--allow-credentials", nothing, no_op, "", "pages show keys, not cookies"},
    {"--root-path", value, refuse, "", "paths are as clients know them; let a proxy take the prefix away"},
    {"--middleware", value, refuse, "", "no code from outside is run; leave it out"},
    {"--return-tokens-as-token-ids --no-return-tokens-as-token-ids", nothing, no_op, "", "a request says it"},
    {"--otlp-traces-endpoint --collect-detailed-traces", value, no_op, "", "this version sends no traces; /metrics has the figures"},
    {"--show-hidden-metrics-for-version", value, no_op, "", "nothing is hidden"},
    {"--disable-log-stats --disable-log-requests --enable-log-requests --no-enable-log-requests --enable-log-outputs "
     "--no-enable-log-outputs",
     nothing, no_op, "", own_log},
    {"--disable-uvicorn-access-log", nothing, map, "--no-access-log"},
    {"--uvicorn-log-level --max-log-len --log-config-file", value, no_op, "", own_log},
    {"--log-error-stack --no-log-error-stack --disable-fastapi-docs --enable-server-load-tracking --enable-request-id-headers", nothing,
     no_op, "", always_on},
    {"--enable-prompt-tokens-details --no-enable-prompt-tokens-details --enable-force-include-usage --enable-tokenizer-info-endpoint",
     nothing, no_op, "", always_on},
    {"--h11-max-incomplete-event-size --h11-max-header-count", value, no_op, "", "quern serve --limit sets limits"},
    {"--config", value, refuse, "", later},
};

constexpr std::string_view defaults[] = {"--port=8000", "--max-num-seqs=256"};

// The model is called what it was called on the command line. vLLM listens everywhere; so do we, once there is a key.
void finish(Translation& ours) {
  const std::optional<std::string_view> named = ours.value("--model");
  const std::optional<std::string_view> model = named ? named : ours.word();
  if (model && !ours.has("--served-model-name")) ours.args.push_back(fmt::format("--served-model-name={}", *model));
  if (!ours.has("--host")) {
    const bool guarded = ours.has("--api-key");
    ours.args.emplace_back(guarded ? "--host=*" : "--host=127.0.0.1");
    if (!guarded) ours.notes.emplace_back("without --api-key and --host only this machine can reach the server");
  }
  open_as_told(ours);
}

}  // namespace

Persona persona_vllm_serve() {
  return {.tool = "vllm",
          .command = "serve",
          .flags = flags,
          .defaults = defaults,
          .summary = "the server, with vLLM's flags",
          .words = Words::passed_on,
          .subcommands = "serve",
          .spelling = Spelling::underscores_are_dashes,
          .finish = finish};
}

}  // namespace qn::cli
