#include "cli/run/run_flags.h"

#include <charconv>

#include "serve/session.h"

namespace qn::cli {
namespace {

struct SwitchFlag {
  const char* names;
  bool RunFlags::*value;
  const char* group;
  const char* summary;
};
constexpr SwitchFlag switch_flags[] = {
    {"--hidethinking", &RunFlags::hide_thinking, "Chat", "do not show the thinking"},
    {"--nowordwrap", &RunFlags::no_wordwrap, "Chat", "do not break lines between words"},
    {"--verbose", &RunFlags::verbose, "Chat", "print times and rates after each reply"},
    {"--chat", &RunFlags::chat, "Chat", "chat even if a prompt is given: it is the first message"},
    {"--single-turn", &RunFlags::single_turn, "Chat", "answer once, then end"},
    {"--raw", &RunFlags::raw, "Chat", "continue the prompt as plain text, without a chat template"},
    {"--escape", &RunFlags::unescape, "Chat", "read \\n, \\t, \\\", \\\\ and \\xHH in the prompt"},
    {"--echo", &RunFlags::echo, "Chat", "with --raw: print the prompt before the reply"},
    {"--ignore-eos", &RunFlags::ignore_end_of_turn, "Sampling", "go on when the model ends its turn"},
};

struct TextFlag {
  const char* names;
  std::string RunFlags::*value;
  const char* type;
  const char* group;
  const char* summary;
};
constexpr TextFlag text_flags[] = {
    {"-m,--model", &RunFlags::model, "FILE", "Chat", "the model, where the first word is part of the prompt"},
    {"--prompt-file", &RunFlags::prompt_file, "FILE", "Chat", "the prompt from a file"},
    {"--system", &RunFlags::system, "TEXT", "Chat", "system message"},
    {"--system-file", &RunFlags::system_file, "FILE", "Chat", "system message from a file"},
    {"--chat-template-file", &RunFlags::template_file, "FILE", "Chat", "Jinja template in place of the model's"},
    {"--chat-template", &RunFlags::template_text, "TEXT", "Chat", "Jinja template text in place of the model's, or chatml"},
    {"--chat-template-kwargs", &RunFlags::template_arguments, "JSON", "Chat", "names for the template, as a JSON object"},
    {"-c,--ctx", &RunFlags::context, "N", "Model", "window in tokens; 0: the model's own (default: what fits)"},
    {"--kv-type", &RunFlags::kv_type, "K[,V]", "Model", "format of the cache: f16 (default), f32, bf16, q8_0, q4_0, …"},
    {"--cache-type-k", &RunFlags::key_type, "TYPE", "Model", "format of cached keys"},
    {"--cache-type-v", &RunFlags::value_type, "TYPE", "Model", "format of cached values"},
    {"--n-gpu-layers,--gpu-layers", &RunFlags::gpu_layers, "N", "Model", "layers on a GPU: a number, auto or all"},
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

// A flag's text from a file, unless the flag was not given.
Status read_file_into(std::string_view flag, const std::string& path, auto& text) {
  if (path.empty()) return {};
  QN_TRY(text, read_text_file(flag, path));
  return {};
}

}  // namespace

void RunFlags::declare(CLI::App& app) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("words", words)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-p,--prompt", prompt, "the prompt, in place of words")->type_name("TEXT")->group("Chat");
  app.add_flag("--think{true}", think, "think before answering: true, false, low, medium, high or max")->type_name("V")->group("Chat");
  for (const TextFlag& flag : text_flags)
    app.add_option(flag.names, this->*flag.value, flag.summary)->type_name(flag.type)->group(flag.group);
  declare_thread_flags(app, threads, "Threads");
  declare_loading_flags(app, loading, "Model");
  for (const SwitchFlag& flag : switch_flags) app.add_flag(flag.names, this->*flag.value, flag.summary)->group(flag.group);

  sampling_.declare(app, "Sampling");
  app.add_option("-l,--logit-bias", biases, "add to the logit of a token")
      ->type_name("ID±BIAS")
      ->group("Sampling")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  other_values_.resize(std::size(other_flags));
  for (std::size_t i = 0; i < std::size(other_flags); ++i) {
    CLI::Option* option = other_flags[i].has_value ? app.add_option(other_flags[i].name, other_values_[i])
                                                   : static_cast<CLI::Option*>(app.add_flag(other_flags[i].name, other_values_[i]));
    others_.push_back(option->group(""));
  }
}

Status RunFlags::read_other(Io& io) const {
  for (std::size_t i = 0; i < others_.size(); ++i) {
    if (others_[i]->count() == 0) continue;
    if (other_flags[i].refused) return fail(Code::unsupported, "{}: {}", other_flags[i].name, other_flags[i].reason);
    note(io, fmt::format("{} has no effect: {}", other_flags[i].name, other_flags[i].reason));
  }
  return {};
}

Status RunFlags::read_settings(ChatSettings& settings) const {
  settings.hide_thinking = hide_thinking;
  settings.wordwrap = !no_wordwrap;
  settings.verbose = verbose;
  settings.ignore_end_of_turn = ignore_end_of_turn;
  settings.system = system;
  QN_OK(read_file_into("--system-file", system_file, settings.system));
  if (!think.empty()) {
    QN_TRY(settings.thinking, read_thinking(think));
  }
  if (!template_arguments.empty()) {
    QN_TRY(settings.template_arguments, read_template_arguments(template_arguments));
  }
  QN_OK(sampling_.read(settings.parameters));
  for (const std::string& bias : biases) QN_OK(read_logit_bias(bias, settings));
  return {};
}

Status RunFlags::read_load_options(serve::LoadOptions& options) const {
  QN_OK(read_loading(loading, options));
  if (!context.empty()) {
    QN_TRY(const std::int64_t tokens, read_count("--ctx", context));
    if (tokens > 0) options.context_tokens = static_cast<int>(tokens);
  }
  if (!kv_type.empty()) QN_OK(read_cache_formats("--kv-type", kv_type, options));
  if (!key_type.empty()) {
    QN_TRY(options.key_format, read_cache_format("--cache-type-k", key_type));
  }
  if (!value_type.empty()) {
    QN_TRY(options.value_format, read_cache_format("--cache-type-v", value_type));
  }
  QN_OK(read_file_into("--chat-template-file", template_file, options.chat_template));
  if (!template_text.empty()) {
    QN_TRY(options.chat_template, read_template_flag(template_text));
  }
  return {};
}

Result<RunRequest> RunFlags::read(Io& io) {
  RunRequest request;
  QN_OK(read_other(io));
  QN_OK(read_settings(request.settings));
  QN_OK(read_load_options(request.load));
  QN_OK(read_file_into("--prompt-file", prompt_file, prompt));
  request.devices = {threads, gpu_layers};
  request.unescape = unescape;
  request.echo = echo;
  request.model = model;
  if (model.empty() && !words.empty()) {
    request.model = words.front();
    request.model_is_first_word = true;
    words.erase(words.begin());
  }
  if (prompt) words.insert(words.begin(), *prompt);
  for (const std::string& word : words) request.prompt += (request.prompt.empty() ? "" : " ") + word;
  if (raw)
    request.form = RunRequest::Form::raw;
  else if (chat && !single_turn)
    request.form = RunRequest::Form::chat_from_prompt;
  return request;
}

}  // namespace qn::cli
