#include "cli/serve/model_flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "cli/builtin_model.h"
#include "cli/chat/settings.h"
#include "cli/run/run_chat.h"
#include "cli/serve/environment.h"
#include "cli/serve/offered_models.h"

namespace qn::cli {
namespace {

constexpr std::string_view models_group = "Models", memory_group = "Window and memory", chat_group = "Chat",
                           sampling_group = "Sampling, where a request says nothing", speed_group = "Speed";
constexpr int default_sequences = 64, default_batched_tokens = 512;

// The number of a flag that may also say "auto", or -1 for it.
Result<std::optional<std::int64_t>> read_count_or_auto(std::string_view flag, std::string_view text) {
  if (text.empty() || text == "auto" || text == "-1") return std::nullopt;
  QN_TRY(const std::int64_t count, read_count(flag, text));
  return count;
}

Result<int> read_within(std::string_view flag, std::string_view text, int least, int most) {
  QN_TRY(const std::int64_t count, read_count(flag, text));
  if (count < least || count > most) return fail(Code::bad_input, "{}: {} is out of range; give {} to {}", flag, count, least, most);
  return static_cast<int>(count);
}

// "12G" (binary), "12GB", "512M", "1500000000".
Result<std::uint64_t> read_bytes(std::string_view flag, std::string_view text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  static constexpr Unit units[] = {{"GiB", 1073741824.0}, {"MiB", 1048576.0},  {"KiB", 1024.0},  {"GB", 1e9},   {"MB", 1e6},
                                   {"KB", 1e3},           {"G", 1073741824.0}, {"M", 1048576.0}, {"K", 1024.0}, {"", 1.0}};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
  for (const Unit& unit : units)
    if (error == std::errc() && rest == unit.name && number >= 0 && number * unit.bytes < 9e18)
      return static_cast<std::uint64_t>(number * unit.bytes);
  return fail(Code::bad_input, "{}: expected a size such as 12G, 500M or 8GB, got {}", flag, quoted(text));
}

// {"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 512}: names as in a generation_config.json.
Status read_parameters(std::string_view flag, const std::string& text, serve::Parameters& parameters) {
  struct Name {
    std::string_view theirs, ours;
  };
  static constexpr Name names[] = {
      {"max_new_tokens", "num_predict"}, {"max_tokens", "num_predict"}, {"repetition_penalty", "repeat_penalty"}};
  static constexpr std::string_view without_meaning[] = {"do_sample", "bos_token_id", "eos_token_id", "pad_token_id",
                                                         "transformers_version"};
  const Result<json::Value> value = json::parse(text);
  const json::Object* object = value ? value->if_object() : nullptr;
  if (object == nullptr) return fail(Code::bad_input, "{}: expected a JSON object, got {}", flag, quoted(text));
  for (const auto& [key, setting] : *object) {
    std::string_view name = key;
    if (std::find(std::begin(without_meaning), std::end(without_meaning), name) != std::end(without_meaning)) continue;
    for (const Name& row : names)
      if (row.theirs == name) name = row.ours;
    const std::string shown = setting.is_string() ? std::string(setting.as_string()) : json::print(setting);
    if (const Status set = serve::set_parameter(parameters, name, shown); !set)
      return fail(set.error().code, "{}: {}", flag, set.error().message);
  }
  return {};
}

std::vector<std::string> comma_parts(const std::vector<std::string>& lists) {
  std::vector<std::string> parts;
  for (std::string_view list : lists)
    while (!list.empty()) {
      const std::string_view part = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), part.size() + 1));
      if (!part.empty()) parts.emplace_back(part);
    }
  return parts;
}

// Where models are looked for if none is named.
std::string default_folder() {
  if (std::string folder = environment_value({"QUERN_MODELS", "OLLAMA_MODELS"}); !folder.empty()) return folder;
  if (const std::string data = environment_value({"XDG_DATA_HOME"}); !data.empty()) return data + "/quern/models";
  const std::string home = environment_value({"HOME"});
  return home.empty() ? "" : home + "/.local/share/quern/models";
}

}  // namespace

Result<serve::KeepAlive> read_keep_alive(std::string_view flag, std::string_view text) {
  struct Unit {
    std::string_view name;
    double seconds;
  };
  static constexpr Unit units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"h", 3600}, {"m", 60}, {"s", 1}};
  constexpr double longest_s = 3.2e9;  // a century
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  double seconds = 0;
  bool good = !rest.empty(), plain = true;
  while (good && !rest.empty()) {
    double number = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    good = error == std::errc();
    if (!good) break;
    rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
    if (rest.empty() && plain) {
      seconds = number;  // a number alone counts seconds
      break;
    }
    const auto* const unit = std::find_if(std::begin(units), std::end(units), [&rest](const Unit& u) { return rest.starts_with(u.name); });
    good = unit != std::end(units);
    if (!good) break;
    rest.remove_prefix(unit->name.size());
    seconds += number * unit->seconds;
    plain = false;
  }
  if (!good) return fail(Code::bad_input, "{}: expected a time such as 5m, 90s or 1h30m, 0, or -1 for ever, got {}", flag, quoted(text));
  if (negative && seconds > 0) return serve::KeepAlive(-1);
  return std::chrono::duration_cast<serve::KeepAlive>(std::chrono::duration<double>(std::min(seconds, longest_s)));
}

void ModelFlags::declare(CLI::App& app) {
  const auto text = [&app](std::string_view group, const char* names, std::string& value, const char* type, const char* summary) {
    app.add_option(names, value, summary)
        ->type_name(type)
        ->group(std::string(group))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  const auto list = [&app](std::string_view group, const char* names, std::vector<std::string>& value, const char* type,
                           const char* summary) {
    app.add_option(names, value, summary)
        ->type_name(type)
        ->group(std::string(group))
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  app.add_option("models", words_)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  text(models_group, "-m,--model", model_, "FILE", "a model, in place of the first word");
  list(models_group, "--models-dir", folders_, "DIR", "offer every GGUF file of this folder; repeatable");
  list(models_group, "-a,--alias", aliases_, "NAME,…", "what the model is called: the first name is shown, all are answered to");
  list(models_group, "--served-model-name", served_names_, "NAME", "the same, one name each time");
  app.add_flag("--any-name", any_name_, "answer to every other name too")->group(std::string(models_group));
  list(models_group, "--preload", preload_, "NAME", "load this one before the server is ready, and keep it (a single model: always)");
  text(models_group, "--keep-alive,--keepalive", keep_alive_, "TIME", "keep an idle model so long: 5m (default), 0, -1 for ever");
  text(models_group, "--max-loaded", max_loaded_, "N", "models in memory at once (default: as many as fit)");
  text(models_group, "--memory", memory_, "SIZE", "of all models together: 12G (default: what the machine has left)");
  text(models_group, "--max-queue", max_queue_, "N", "requests that wait, at most: for a model to be loaded, and in its queue (512)");

  text(memory_group, "-c,--ctx,--ctx-size,--max-model-len", context_, "N",
       "window in tokens, 8192, 8k or auto (default: the model's own, as far as it fits)");
  text(memory_group, "--max-num-seqs,--parallel", sequences_, "N", "replies written together, at most (64)");
  text(memory_group, "--max-num-batched-tokens", batched_tokens_, "N", "tokens of a step: long prompts are read in parts of that (512)");
  text(memory_group, "--block-size", page_tokens_, "N", "tokens of a page of the cache (32)");
  text(memory_group, "--kv-memory", kv_memory_, "SIZE", "for the cache of a model (default: half of what weights leave)");
  text(memory_group, "--kv-type", kv_type_, "K[,V]", "format of the cache: f16 (default), f32, bf16, q8_0, q4_0, …");
  text(memory_group, "--cache-type-k", key_type_, "TYPE", "format of cached keys");
  text(memory_group, "--cache-type-v", value_type_, "TYPE", "format of cached values");
  declare_loading_flags(app, loading_, std::string(memory_group));

  text(chat_group, "--chat-template", template_text_, "TEXT|FILE", "Jinja template in place of the model's, or chatml");
  text(chat_group, "--chat-template-file", template_file_, "FILE", "the same, from a file");
  text(chat_group, "--chat-template-kwargs", template_arguments_, "JSON", "names for the template, where a request gives none");
  text(chat_group, "--think", think_, "V", "think before answering, where a request does not say: true, false, low, medium, high or max");
  text(chat_group, "--thinking-budget", thinking_budget_, "N", "tokens of thinking, where a request does not say; -1: no limit");

  text(sampling_group, "--generation-config", generation_config_, "HOW", "auto: as the model's file recommends; neutral: not");
  text(sampling_group, "--default-parameters", parameters_, "JSON", "several at once: {\"temperature\": 0.6, \"top_p\": 0.95}");
  sampling_.declare(app, std::string(sampling_group));

  text(speed_group, "--speculative", speculative_, "N", "guess so many tokens a step from the text so far; replies stay the same (0)");
  text(speed_group, "--n-gpu-layers,--gpu-layers", gpu_layers_, "N", "layers on a GPU: a number, auto or all");
  app.add_option("--tensor-parallel", parallel_, "devices that compute one model together")
      ->type_name("N")
      ->group(std::string(speed_group))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  declare_thread_flags(app, threads_, "Threads");
}

std::vector<HelpRow> ModelFlags::environment() {
  return {{"QUERN_MODELS", "the folder that is offered if no model is named; OLLAMA_MODELS too"},
          {"OLLAMA_KEEP_ALIVE", "as --keep-alive"},
          {"OLLAMA_MAX_LOADED_MODELS", "as --max-loaded"},
          {"OLLAMA_MAX_QUEUE", "as --max-queue"},
          {"OLLAMA_NUM_PARALLEL", "as --max-num-seqs"},
          {"OLLAMA_CONTEXT_LENGTH", "the window, at most"},
          {"OLLAMA_KV_CACHE_TYPE", "as --kv-type"}};
}

Status ModelFlags::read_memory_options(serve::LoadOptions& options) const {
  QN_TRY(const auto context, read_count_or_auto("--ctx", context_));
  if (context && *context > 0) options.context_tokens = static_cast<int>(*context);
  if (const std::string most = environment_value({"QUERN_CONTEXT_LENGTH", "OLLAMA_CONTEXT_LENGTH"}); !most.empty() && most != "0") {
    QN_TRY(options.most_context_tokens, read_within("OLLAMA_CONTEXT_LENGTH", most, 1, 1 << 30));
  }
  std::string sequences = sequences_;
  if (sequences.empty()) sequences = environment_value({"QUERN_NUM_PARALLEL", "OLLAMA_NUM_PARALLEL"});
  if (sequences == "0" && sequences_.empty()) sequences.clear();  // Ollama's word for auto
  QN_TRY(const auto count, read_count_or_auto("--max-num-seqs", sequences));
  if (count && (*count < 1 || *count > 4096)) return fail(Code::bad_input, "--max-num-seqs: {} is out of range; give 1 to 4096", *count);
  options.max_sequences = static_cast<int>(count.value_or(default_sequences));
  options.max_batched_tokens = default_batched_tokens;
  if (!batched_tokens_.empty()) {
    QN_TRY(options.max_batched_tokens, read_within("--max-num-batched-tokens", batched_tokens_, 1, 1 << 20));
  }
  if (!page_tokens_.empty()) {
    QN_TRY(options.page_tokens, read_within("--block-size", page_tokens_, 1, 4096));
  }
  if (!kv_memory_.empty()) {
    QN_TRY(options.kv_bytes, read_bytes("--kv-memory", kv_memory_));
  }
  std::string kv_type = kv_type_;
  if (kv_type.empty()) kv_type = environment_value({"QUERN_KV_CACHE_TYPE", "OLLAMA_KV_CACHE_TYPE"});
  if (!kv_type.empty()) QN_OK(read_cache_formats("--kv-type", kv_type, options));
  if (!key_type_.empty()) {
    QN_TRY(options.key_format, read_cache_format("--cache-type-k", key_type_));
  }
  if (!value_type_.empty()) {
    QN_TRY(options.value_format, read_cache_format("--cache-type-v", value_type_));
  }
  return {};
}

Status ModelFlags::read_reply_defaults(serve::ReplyDefaults& defaults, Io&) const {
  if (generation_config_ == "neutral" || generation_config_ == "vllm") {
    defaults.recommended = serve::Recommended::ignored;
  } else if (generation_config_ != "auto") {
    return fail(Code::unsupported,
                "--generation-config: expected auto or neutral, got {}; --default-parameters takes what such a file says",
                quoted(generation_config_, 128));
  }
  if (!parameters_.empty()) QN_OK(read_parameters("--default-parameters", parameters_, defaults.parameters));
  QN_OK(sampling_.read(defaults.parameters));
  if (!template_arguments_.empty()) {
    QN_TRY(defaults.template_arguments, read_template_arguments(template_arguments_));
  }
  if (!think_.empty() && think_ != "auto") {
    QN_TRY(const Thinking thinking, read_thinking(think_));
    defaults.think = thinking.on;
    if (!thinking.level.empty() && !defaults.template_arguments.contains("reasoning_effort"))
      defaults.template_arguments["reasoning_effort"] = thinking.level;
  }
  if (!thinking_budget_.empty() && thinking_budget_ != "-1") {
    QN_TRY(const int budget, read_within("--thinking-budget", thinking_budget_, 0, 1 << 30));
    if (budget == 0)
      defaults.think = false;
    else
      defaults.thinking_budget = budget;
  }
  return {};
}

Result<serve::LoadOptions> ModelFlags::read_load_options(Io& io) const {
  serve::LoadOptions options;
  options.audience = serve::Audience::server;
  const std::string long_windows = environment_value({"VLLM_ALLOW_LONG_MAX_MODEL_LEN"});
  if (long_windows != "1" && long_windows != "true") options.beyond_training = serve::BeyondTraining::refused;
  QN_OK(read_memory_options(options));
  QN_OK(read_loading(loading_, options));
  QN_OK(read_reply_defaults(options.defaults, io));
  std::string file = template_file_;
  if (!template_text_.empty()) {
    // vLLM means a file, llama-server a text or a name.
    std::error_code none;
    if (std::filesystem::is_regular_file(template_text_, none)) {
      file = template_text_;
    } else if (template_text_.find('{') == std::string::npos && template_text_.find('/') != std::string::npos) {
      return fail(Code::not_found, "--chat-template: no file {}; give the path of a Jinja template, or its text",
                  quoted(template_text_, 256));
    } else {
      QN_TRY(options.chat_template, read_template_flag(template_text_));
    }
  }
  if (!file.empty()) {
    QN_TRY(options.chat_template, read_text_file(template_file_.empty() ? "--chat-template" : "--chat-template-file", file));
  }
  return options;
}

// Names go to one model; the word it was named by stays an alias.
Status ModelFlags::name_models(ModelPlan& plan) const {
  std::vector<std::string> names = comma_parts(aliases_);
  names.insert(names.end(), served_names_.begin(), served_names_.end());
  if (names.empty() && !any_name_) return {};
  if (plan.models.size() != 1) {
    if (names.empty()) return {};
    return fail(Code::bad_input, "--served-model-name: {} models are offered, and it names one; write NAME=PATH for each",
                plan.models.size());
  }
  serve::ServedModel& model = plan.models.front();
  if (!names.empty()) {
    std::vector<std::string> all(names.begin() + 1, names.end());
    if (names.front() != model.name) all.push_back(model.name);
    for (std::string& alias : model.aliases)
      if (alias != names.front()) all.push_back(std::move(alias));
    model.name = names.front();
    model.aliases = std::move(all);
  }
  if (any_name_) model.aliases.emplace_back("*");
  return {};
}

Result<ModelPlan> ModelFlags::read(Io& io) const {
  ModelPlan plan;
  plan.devices = {threads_, gpu_layers_};
  for (const int devices : parallel_)
    if (devices > 1)
      note(io,
           fmt::format("--tensor-parallel {}: this machine computes with its CPU alone, as one device; leave the flag out here", devices));
  QN_TRY(const serve::LoadOptions load, read_load_options(io));

  std::vector<std::string> words = words_;
  if (!model_.empty()) words.insert(words.begin(), model_);
  words.insert(words.end(), folders_.begin(), folders_.end());
  const bool named = !words.empty();
  if (!named) {
    words.emplace_back(builtin_model_name);
    std::error_code none;
    if (const std::string folder = default_folder();
        !folder.empty() && std::filesystem::is_directory(folder, none) && !model_files(folder).empty())
      words.push_back(folder);
  }
  for (const std::string& word : words) QN_OK(add_models(word, load, plan.models));
  QN_OK(name_models(plan));

  std::string keep_alive = keep_alive_;
  if (keep_alive.empty()) keep_alive = environment_value({"QUERN_KEEP_ALIVE", "OLLAMA_KEEP_ALIVE"});
  if (!keep_alive.empty()) {
    QN_TRY(plan.host.keep_alive, read_keep_alive("--keep-alive", keep_alive));
  }
  std::string max_loaded = max_loaded_;
  if (max_loaded.empty()) max_loaded = environment_value({"QUERN_MAX_LOADED_MODELS", "OLLAMA_MAX_LOADED_MODELS"});
  if (!max_loaded.empty()) {
    QN_TRY(plan.host.max_loaded, read_within("--max-loaded", max_loaded, 0, 4096));
  }
  std::string max_queue = max_queue_;
  if (max_queue.empty()) max_queue = environment_value({"QUERN_MAX_QUEUE", "OLLAMA_MAX_QUEUE"});
  if (!max_queue.empty()) {
    QN_TRY(plan.host.max_waiting, read_within("--max-queue", max_queue, 1, 1 << 20));
    for (serve::ServedModel& model : plan.models) model.load.max_waiting = plan.host.max_waiting;
  }
  if (!memory_.empty()) {
    QN_TRY(plan.host.memory_bytes, read_bytes("--memory", memory_));
  }
  if (!speculative_.empty()) {
    QN_TRY(plan.draft_tokens, read_within("--speculative", speculative_, 0, 64));
  }

  plan.preload = preload_;
  if (plan.preload.empty() && named && plan.models.size() == 1) plan.preload.push_back(plan.models.front().name);
  for (const std::string& name : plan.preload)
    for (serve::ServedModel& model : plan.models)
      if (model.name == name && keep_alive.empty())
        model.keep_alive = serve::KeepAlive(-1);  // who asks for it at the start wants it to stay
  return plan;
}

}  // namespace qn::cli
