#include "cli/run/run_chat.h"

#include <charconv>

#include "cli/builtin_model.h"
#include "cli/chat/conversation.h"
#include "cli/chat/repl.h"
#include "cli/chat/saved_chat.h"
#include "cli/state_files.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/spinner.h"

namespace qn::cli {
namespace {

constexpr std::size_t longest_file_bytes = std::size_t{1} << 20;

// Settles what the first word is, and reads a saved chat if it names one.
Result<SavedChat> find_model(RunRequest& request, Io& io) {
  if (request.model.empty()) {
    request.model = builtin_model_name;
    return SavedChat{};
  }
  WordKind kind = classify(request.model);
  if (kind == WordKind::words && !request.model_is_first_word) kind = WordKind::missing;
  switch (kind) {
    case WordKind::model: return SavedChat{};
    case WordKind::missing:
      if (std::error_code none; std::filesystem::exists(request.model, none))
        return fail(Code::bad_input, "{}: not a regular file; give the path of a GGUF file", qn::quoted(request.model, 200));
      return fail(Code::not_found, "{}: no such model; give the path of a GGUF file, or none for the built-in {}",
                  qn::quoted(request.model, 200), builtin_model_name);
    case WordKind::words:
      // A word in the manner of model names may be one that we do not have: then say who answers.
      if (request.prompt.empty() && request.model.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string::npos)
        note(io, fmt::format("{} is no model here, so the built-in {} is asked", qn::quoted(request.model), builtin_model_name));
      request.prompt = request.model + (request.prompt.empty() ? "" : " ") + request.prompt;
      request.model = builtin_model_name;
      return SavedChat{};
    case WordKind::saved_chat: break;
  }
  QN_TRY(SavedChat chat, load_chat(saved_chat_path(request.model)));
  if (classify(chat.model) != WordKind::model)
    return fail(Code::not_found, "{}: the model of this chat is not there any more; it was {}", request.model, qn::quoted(chat.model, 200));
  request.model = chat.model;
  return chat;
}

// What works but may disappoint.
void note_doubts(const serve::LoadedModel& model, Io& io) {
  const int own = model.model->sizes().context;
  if (model.context_tokens > own)
    note(io, fmt::format("--ctx {}: the model was trained for {} tokens and may lose the thread beyond them", model.context_tokens, own));
  if (model.kv.keys->kind == quant::Kind::quantized && model.kv.keys->block_bytes * 8 < 6 * model.kv.keys->block_weights)
    note(io, fmt::format("cached keys in {}: keys bear rounding worse than values; q8_0 keeps the answers closer", model.kv.keys->name));
}

int exit_code_of(serve::Finish finish) {
  return finish == serve::Finish::cancelled ? exit_interrupted : exit_ok;
}

}  // namespace

Result<std::string> read_text_file(std::string_view flag, const std::string& path) {
  Result<std::string> text = read_small_file(path, longest_file_bytes);
  if (!text) return fail(text.error().code, "{}: {}", flag, text.error().message);
  return text;
}

std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\' || text.empty()) {
      out += c;
      continue;
    }
    static constexpr std::string_view letters = "nrt'\"\\", values = "\n\r\t'\"\\";
    const char next = text.front();
    unsigned byte = 0;
    if (const std::size_t i = letters.find(next); i != std::string_view::npos) {
      out += values[i];
      text.remove_prefix(1);
    } else if (next == 'x' && text.size() >= 3 && std::from_chars(text.data() + 1, text.data() + 3, byte, 16).ptr == text.data() + 3) {
      out += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      out += c;
    }
  }
  return out;
}

int run_chat(RunRequest request, Io& io) {
  Result<SavedChat> saved = find_model(request, io);
  if (!saved) return report(io, saved.error());

  const bool terminal = io.in_tty && io.out_tty;
  const bool interactive =
      terminal && request.form != RunRequest::Form::raw && (request.prompt.empty() || request.form == RunRequest::Form::chat_from_prompt);
  if (request.unescape) request.prompt = unescaped(request.prompt);
  if (!io.in_tty) {
    // Piped text comes before the words.
    Result<std::string> piped = read_all(io.in, "standard input");
    if (!piped) return report(io, piped.error());
    if (!piped->empty()) request.prompt = *piped + (request.prompt.empty() ? "" : " ") + request.prompt;
  }
  if (!interactive && request.prompt.empty())
    return usage_error(io, "run", "no prompt; give one behind the model, pipe it in, or run from a terminal to chat");

  auto loader = ModelLoader::make(request.devices, io);
  if (!loader) return report(io, loader.error());
  serve::Parameters& parameters = request.settings.parameters;
  parameters = serve::merge(parameters, saved->parameters);
  if (request.load.context_tokens)
    parameters.num_ctx = *request.load.context_tokens;
  else if (parameters.num_ctx && *parameters.num_ctx > 0)
    request.load.context_tokens = static_cast<int>(*parameters.num_ctx);
  if (request.settings.system.empty()) request.settings.system = saved->system;

  auto model = [&] {
    const Spinner spinner(io, "loading the model");
    return (*loader)->load(request.model, request.load);
  }();
  if (!model) return report(io, model.error());
  note_doubts(**model, io);
  Conversation conversation(std::move(*model), std::move(request.settings));
  conversation.messages = std::move(saved->messages);

  if (interactive) return Repl(conversation, **loader, request.model, request.load, io).run(request.prompt);
  const Result<serve::Finish> finish =
      request.form == RunRequest::Form::raw
          ? conversation.complete(request.prompt, request.echo ? Conversation::Echo::prompt : Conversation::Echo::none, io)
          : conversation.ask(request.prompt, io);
  if (!finish) return report(io, finish.error());
  return exit_code_of(*finish);
}

}  // namespace qn::cli
