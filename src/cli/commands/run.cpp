// quern run: a chat at the terminal, or one answer if there is a prompt or piped text.
#include "cli/run/run_chat.h"

#include <charconv>

#include "cli/arguments.h"
#include "cli/command.h"
#include "serve/session.h"

namespace qn::cli {
namespace {

// Sampling flags: llama.cpp's names, each setting one parameter (serve/parameters.h).
struct SamplingFlag {
  const char* names;
  std::string_view parameter;
  const char* type;
};
constexpr SamplingFlag sampling_flags[] = {
    {"--temp,--temperature", "temperature", "T"},
    {"--top-k", "top_k", "N"},
    {"--top-p", "top_p", "P"},
    {"--min-p", "min_p", "P"},
    {"--typical", "typical_p", "P"},
    {"--top-n-sigma", "top_n_sigma", "N"},
    {"--repeat-penalty", "repeat_penalty", "X"},
    {"--repeat-last-n", "repeat_last_n", "N"},
    {"--presence-penalty", "presence_penalty", "X"},
    {"--frequency-penalty", "frequency_penalty", "X"},
    {"--xtc-probability", "xtc_probability", "P"},
    {"--xtc-threshold", "xtc_threshold", "P"},
    {"--dry-multiplier", "dry_multiplier", "X"},
    {"--dry-base", "dry_base", "X"},
    {"--dry-allowed-length", "dry_allowed_length", "N"},
    {"--dry-penalty-last-n", "dry_penalty_last_n", "N"},
    {"-s,--seed", "seed", "N"},
    {"-n,--predict,--n-predict", "num_predict", "N"},
    {"--stop", "stop", "TEXT"},
};

// Flags of `ollama run` that this version accepts or refuses, with the reason.
struct OtherFlag {
  const char* name;
  bool has_value;
  bool refused;
  std::string_view reason;
};
constexpr OtherFlag other_flags[] = {
    {"--format", true, true, "this version does not constrain replies to a format yet; leave it out and ask for JSON in the prompt"},
    {"--image", true, true, "this version runs text models only; leave it out"},
    {"--dimensions", true, true, "this version has no embedding models; leave it out"},
    {"--keepalive", true, false, "the model lives as long as this command"},
    {"--truncate", false, false, "it is for embedding models"},
    {"--insecure", false, false, "nothing is downloaded"},
};

Status read_logit_bias(const std::string& text, ChatSettings& settings) {
  const std::size_t sign = text.find_first_of("+-", 1);
  std::int32_t id = 0;
  double bias = 0;
  bool read = sign != std::string::npos;
  if (read) {
    const char* const value = text.data() + sign + (text[sign] == '+' ? 1 : 0);
    const auto id_end = std::from_chars(text.data(), text.data() + sign, id);
    const auto bias_end = std::from_chars(value, text.data() + text.size(), bias);
    read = id_end.ec == std::errc() && id_end.ptr == text.data() + sign && bias_end.ec == std::errc() &&
           bias_end.ptr == text.data() + text.size() && id >= 0;
  }
  if (!read) return fail(Code::bad_input, "--logit-bias: expected ID+BIAS or ID-BIAS, got {}", qn::quoted(text));
  auto& biases = settings.parameters.sampling.logit_bias;
  if (!biases) biases.emplace();
  biases->push_back({id, static_cast<float>(bias)});
  return {};
}

// Template text, or the one name that stands for a text.
Result<std::string> read_template_flag(const std::string& text) {
  if (text == "chatml") return std::string(serve::chatml_template);
  if (text.find('{') == std::string::npos)
    return fail(Code::unsupported, "--chat-template: {} is no template known by name; give its text, a file, or chatml", qn::quoted(text));
  return text;
}

Result<json::Object> read_template_arguments(const std::string& text) {
  const Result<json::Value> value = json::parse(text);
  if (!value) return fail(Code::bad_input, "--chat-template-kwargs: {}", value.error().message);
  const json::Object* object = value->if_object();
  if (object == nullptr) return fail(Code::bad_input, "--chat-template-kwargs: expected a JSON object, got {}", qn::quoted(text));
  return *object;
}

int run_run(std::span<const std::string> args, Io& io) {
  RunRequest request;
  ChatSettings& settings = request.settings;
  std::vector<std::string> words;
  std::string think, context, kv_type, key_type, value_type, system_file, template_file, template_text, template_arguments, prompt_file;
  std::vector<std::string> biases;
  std::vector<std::pair<const SamplingFlag*, std::vector<std::string>>> sampling;
  for (const SamplingFlag& flag : sampling_flags) sampling.emplace_back(&flag, std::vector<std::string>());
  std::vector<std::string> other_values(std::size(other_flags));
  std::vector<CLI::Option*> others;
  bool raw = false, chat = false, single_turn = false, no_wordwrap = false;
  std::string model_flag;
  std::optional<std::string> prompt_flag;

  CLI::App app;
  app.add_option("words", words);
  app.add_option("-m,--model", model_flag, "the model, where the first word is part of the prompt")->type_name("FILE")->group("Chat");
  app.add_option("-p,--prompt", prompt_flag, "the prompt, in place of words")->type_name("TEXT")->group("Chat");
  app.add_option("--system", settings.system, "system message")->type_name("TEXT")->group("Chat");
  app.add_option("--system-file", system_file, "system message from a file")->type_name("FILE")->group("Chat");
  app.add_flag("--think{true}", think, "think before answering: true, false, low, medium, high or max")->type_name("V")->group("Chat");
  app.add_flag("--hidethinking", settings.hide_thinking, "do not show the thinking")->group("Chat");
  app.add_flag("--nowordwrap", no_wordwrap, "do not break lines between words")->group("Chat");
  app.add_flag("--verbose", settings.verbose, "print times and rates after each reply")->group("Chat");
  app.add_option("--prompt-file", prompt_file, "the prompt from a file")->type_name("FILE")->group("Chat");
  app.add_flag("--chat", chat, "chat even if a prompt is given: it is the first message")->group("Chat");
  app.add_flag("--single-turn", single_turn, "answer once, then end")->group("Chat");
  app.add_flag("--raw", raw, "continue the prompt as plain text, without a chat template")->group("Chat");
  app.add_flag("--escape", request.unescape, "read \\n, \\t, \\\", \\\\ and \\xHH in the prompt")->group("Chat");
  app.add_flag("--echo", request.echo, "with --raw: print the prompt before the reply")->group("Chat");
  app.add_option("--chat-template-file", template_file, "Jinja template in place of the model's")->type_name("FILE")->group("Chat");
  app.add_option("--chat-template", template_text, "Jinja template text in place of the model's")->type_name("TEXT")->group("Chat");
  app.add_option("--chat-template-kwargs", template_arguments, "names for the template, as a JSON object")
      ->type_name("JSON")
      ->group("Chat");
  app.add_option("-c,--ctx", context, "window in tokens; 0: the model's own (default: what fits)")->type_name("N")->group("Model");
  app.add_option("--kv-type", kv_type, "format of the cache: f16 (default), f32, bf16, q8_0, q4_0, …; K,V for two")
      ->type_name("K[,V]")
      ->group("Model");
  app.add_option("--cache-type-k", key_type, "format of cached keys")->type_name("TYPE")->group("Model");
  app.add_option("--cache-type-v", value_type, "format of cached values")->type_name("TYPE")->group("Model");
  app.add_option("-t,--threads", request.devices.threads, "threads to compute with (default: all cores)")->type_name("N")->group("Model");
  app.add_option("--n-gpu-layers,--gpu-layers", request.devices.gpu_layers, "layers on a GPU: a number, auto or all")
      ->type_name("N")
      ->group("Model");
  for (auto& [flag, values] : sampling) {
    const serve::ParameterRow* row = serve::find_parameter(flag->parameter);
    app.add_option(flag->names, values, std::string(row->summary))
        ->type_name(flag->type)
        ->allow_extra_args(false)
        ->group("Sampling")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  app.add_option("-l,--logit-bias", biases, "add to the logit of a token")
      ->type_name("ID±BIAS")
      ->allow_extra_args(false)
      ->group("Sampling")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--ignore-eos", settings.ignore_end_of_turn, "go on when the model ends its turn")->group("Sampling");
  for (std::size_t i = 0; i < std::size(other_flags); ++i) {
    if (other_flags[i].has_value)
      others.push_back(app.add_option(other_flags[i].name, other_values[i])->group(""));
    else
      others.push_back(app.add_flag(other_flags[i].name, other_values[i])->group(""));
  }
  const Help help{
      .command = "run",
      .summary = "Chats with a model, or answers once if a prompt or piped text is given.",
      .usage = {"quern run [MODEL] [PROMPT...] [flags]", "... | quern run [MODEL] [PROMPT...] [flags]"},
      .environment = {{"NO_COLOR", "no colours"},
                      {"OLLAMA_NOHISTORY", "1: keep no history of typed lines"},
                      {"XDG_STATE_HOME", "where history and saved chats are kept (default: ~/.local/state)"}},
      .examples = {"quern run", "quern run model.gguf", "quern run model.gguf \"Why is the sky blue?\" --temp 0",
                   "cat notes.txt | quern run model.gguf Sum this up."},
      .more =
          "MODEL is a GGUF file, the name of a saved chat, or quern-mini, which is built in and used where no MODEL is given. "
          "In a chat, /? lists the commands.",
  };
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;

  for (std::size_t i = 0; i < others.size(); ++i) {
    if (others[i]->count() == 0) continue;
    if (other_flags[i].refused) return usage_error(io, "run", fmt::format("{}: {}", other_flags[i].name, other_flags[i].reason));
    note(io, fmt::format("{} has no effect: {}", other_flags[i].name, other_flags[i].reason));
  }

  const auto read = [&]() -> Status {
    settings.wordwrap = !no_wordwrap;
    if (!think.empty()) {
      QN_TRY(settings.thinking, read_thinking(think));
    }
    for (const auto& [flag, values] : sampling) {
      const std::string_view names = flag->names;
      const std::string_view shown = names.substr(names.find("--"));
      for (std::size_t i = 0; i < values.size(); ++i)
        if (const Status set = serve::set_parameter(settings.parameters, flag->parameter, values[i]); !set)
          return fail(set.error().code, "{}: {}", shown.substr(0, shown.find(',')), set.error().message);
    }
    for (const std::string& bias : biases) QN_OK(read_logit_bias(bias, settings));
    if (!context.empty()) {
      QN_TRY(const std::int64_t tokens, read_count("--ctx", context));
      if (tokens > 0) request.load.context_tokens = static_cast<int>(tokens);
    }
    if (!kv_type.empty()) QN_OK(read_cache_formats("--kv-type", kv_type, request.load));
    if (!key_type.empty()) {
      QN_TRY(request.load.key_format, read_cache_format("--cache-type-k", key_type));
    }
    if (!value_type.empty()) {
      QN_TRY(request.load.value_format, read_cache_format("--cache-type-v", value_type));
    }
    if (!system_file.empty()) {
      QN_TRY(settings.system, read_text_file("--system-file", system_file));
    }
    if (!template_file.empty()) {
      QN_TRY(request.load.chat_template, read_text_file("--chat-template-file", template_file));
    }
    if (!template_text.empty()) {
      QN_TRY(request.load.chat_template, read_template_flag(template_text));
    }
    if (!template_arguments.empty()) {
      QN_TRY(settings.template_arguments, read_template_arguments(template_arguments));
    }
    if (!prompt_file.empty()) {
      QN_TRY(prompt_flag, read_text_file("--prompt-file", prompt_file));
    }
    return {};
  };
  if (const Status status = read(); !status) return usage_error(io, "run", status.error().message);

  if (!model_flag.empty()) {
    request.model = model_flag;
  } else if (!words.empty()) {
    request.model = words.front();
    request.model_is_first_word = true;
    words.erase(words.begin());
  }
  for (const std::string& word : words) request.prompt += (request.prompt.empty() ? "" : " ") + word;
  if (prompt_flag) request.prompt = *prompt_flag + (request.prompt.empty() ? "" : " ") + request.prompt;
  request.form = raw ? RunRequest::Form::raw : chat && !single_turn ? RunRequest::Form::chat_from_prompt : RunRequest::Form::answer;
  return run_chat(std::move(request), io);
}

}  // namespace

Command command_run() {
  return {"run", "chat with a model, or ask it once", Group::chat, run_run};
}

}  // namespace qn::cli
