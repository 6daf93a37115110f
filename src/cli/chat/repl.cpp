#include "cli/chat/repl.h"

#include <algorithm>

#include "cli/builtin_model.h"
#include "cli/chat/message_assembler.h"
#include "cli/chat/saved_chat.h"
#include "cli/state_files.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/line_editor.h"
#include "cli/terminal/safe_text.h"
#include "cli/terminal/spinner.h"

namespace qn::cli {
namespace {

constexpr std::string_view placeholder = "Send a message (/? for help)";
constexpr std::string_view open_placeholder = "Use \"\"\" to end multi-line input";

bool history_allowed() {
  const char* off = std::getenv("OLLAMA_NOHISTORY");
  return off == nullptr || *off == '\0' || std::string_view(off) == "0";
}

}  // namespace

void Repl::say(std::string_view text) {
  const std::string safe = io_.out_tty ? without_controls(text) : std::string(text);
  fmt::print(io_.out, "{}{}", safe, safe.ends_with('\n') ? "" : "\n");
}

int Repl::run(const std::string& first_message) {
  auto editor = LineEditor::make(io_.in, io_.out, io_.err);
  if (!editor) return report(io_, editor.error());
  if (!history_allowed()) conversation_.settings.history = false;
  const std::filesystem::path state = state_directory();
  History history(conversation_.settings.history && !state.empty() ? state / "history" : std::filesystem::path());
  for (const std::string& line : history.lines()) (*editor)->remember(line);

  if (!first_message.empty()) answer(first_message);
  MessageAssembler message;
  while (true) {
    LineEditor::Line line;
    {
      const Interrupt interrupt;
      if (Interrupt::ending() != 0) return exit_signalled + Interrupt::ending();  // it came during a reply
      line = message.open() ? (*editor)->read("... ", open_placeholder) : (*editor)->read(">>> ", placeholder);
    }
    if (Interrupt::ending() != 0) {
      fmt::print(io_.out, "\n");
      return exit_signalled + Interrupt::ending();
    }
    if (line.end == LineEditor::End::closed) {
      fmt::print(io_.out, "\n");
      return exit_ok;
    }
    if (line.end == LineEditor::End::interrupted) {
      const bool hint = line.text.empty() && !message.open();
      fmt::print(io_.out, "\n{}", hint ? "Use Ctrl + d or /bye to exit.\n" : "");
      message.reset();
      continue;
    }
    if (conversation_.settings.history && !line.text.empty()) {
      history.add(line.text);
      (*editor)->remember(line.text);
    }
    const bool pasted = line.end == LineEditor::End::pasted_line;
    const auto entered = message.push(line.text, pasted ? MessageAssembler::Kind::pasted : MessageAssembler::Kind::typed);
    if (!entered || split_word(entered->text).word.empty()) continue;
    const auto slash = entered->quoted ? std::nullopt : read_slash(entered->text);
    if (!slash)
      answer(entered->text);
    else if (!obey(*slash))
      return exit_ok;
    std::fflush(io_.out);
  }
}

void Repl::answer(const std::string& message) {
  const Result<serve::Finish> finish = conversation_.ask(message, io_);
  if (!finish) report(io_, finish.error());
  fmt::print(io_.out, "\n");
}

bool Repl::obey(const SlashLine& line) {
  if (!line.command) {
    say(fmt::format("Unknown command '{}'. Type /? for help", line.name));
    return true;
  }
  switch (*line.command) {
    case Slash::set: set(line.rest); break;
    case Slash::show: show(line.rest); break;
    case Slash::load: load(line.rest); break;
    case Slash::save: save(line.rest); break;
    case Slash::list: list(); break;
    case Slash::help: line.rest == "set parameter" || line.rest == "parameter" ? say(parameter_help()) : say(help_text(line.rest)); break;
    case Slash::bye: return false;
    case Slash::clear:
      conversation_.messages.clear();
      say("Cleared session context");
      break;
  }
  return true;
}

void Repl::set(std::string_view what) {
  ChatSettings& settings = conversation_.settings;
  const auto [word, rest] = split_word(what);
  struct Mode {
    std::string_view word;
    bool ChatSettings::*field;
    bool value;
  };
  static constexpr Mode modes[] = {
      {"wordwrap", &ChatSettings::wordwrap, true}, {"nowordwrap", &ChatSettings::wordwrap, false},
      {"verbose", &ChatSettings::verbose, true},   {"quiet", &ChatSettings::verbose, false},
      {"history", &ChatSettings::history, true},   {"nohistory", &ChatSettings::history, false},
  };
  for (const Mode& mode : modes) {
    if (mode.word != word) continue;
    settings.*mode.field = mode.value;
    return say(fmt::format("Set '{}' mode.", word));
  }
  if (word == "parameter") return set_parameter(rest);
  if (word == "think") return set_thinking(rest);
  if (word == "nothink") {
    settings.thinking = {false, ""};
    return say("Set 'nothink' mode.");
  }
  if (word == "system") {
    settings.system = rest;
    return say(rest.empty() ? "Cleared system message." : "Set system message.");
  }
  if (word == "format") return say("Couldn't set format: this version does not constrain replies to a format yet");
  if (word == "noformat") return say("Disabled format.");
  if (word.empty()) return say(help_text("set"));
  say(fmt::format("Unknown command '/set {}'. Type /? for help", word));
}

void Repl::set_thinking(std::string_view level) {
  if (level.empty()) {
    conversation_.settings.thinking = {true, ""};
    return say("Set 'think' mode.");
  }
  const Result<Thinking> thinking = read_thinking(level);
  if (!thinking) return say(fmt::format("Couldn't set think: {} is none of true, false, high, medium, low, max", qn::quoted(level)));
  conversation_.settings.thinking = *thinking;
  say(fmt::format("Set 'think' mode to '{}'.", level));
}

void Repl::set_parameter(std::string_view what) {
  const auto [name, value] = split_word(what);
  if (name.empty() || value.empty()) return say(parameter_help());
  serve::Parameters changed = conversation_.settings.parameters;
  if (name == "stop") changed.stop.clear();
  std::string_view rest = value;
  Status status;
  if (name == "stop") {
    while (status && !rest.empty()) {
      const Split next = split_word(rest);
      status = serve::set_parameter(changed, name, next.word);
      rest = next.rest;
    }
  } else {
    status = serve::set_parameter(changed, name, value);
  }
  if (!status) return say(fmt::format("Couldn't set parameter: \"{}\"", status.error().message));
  if (name == "num_ctx") {
    options_.context_tokens = changed.num_ctx && *changed.num_ctx > 0 ? std::optional(static_cast<int>(*changed.num_ctx)) : std::nullopt;
    if (const Status loaded = load_model(model_name_); !loaded)
      return say(fmt::format("Couldn't set parameter: \"{}\"", loaded.error().message));
  }
  conversation_.settings.parameters = std::move(changed);
  say(fmt::format("Set parameter '{}' to '{}'", name, value));
}

void Repl::show(std::string_view what) {
  const serve::LoadedModel& model = conversation_.model();
  const auto text_or = [this](const std::string& text, std::string_view missing) {
    say(text.empty() ? fmt::format("No {} was specified for this model.", missing) : text);
    fmt::print(io_.out, "\n");
  };
  if (what == "info") return show_info();
  if (what == "parameters") return show_parameters();
  if (what == "modelfile") return show_modelfile();
  if (what == "system") return text_or(conversation_.settings.system, "system message");
  if (what == "template") return text_or(model.template_source, "prompt template");
  if (what == "license") {
    const auto license = model.checkpoint->metadata.text("general.license");
    return text_or(license && *license ? **license : std::string(), "license");
  }
  if (what.empty()) return say(help_text("show"));
  say(fmt::format("Unknown command '/show {}'. Type /? for help", what));
}

void Repl::show_info() {
  say(describe_model(conversation_.model()) + "\n");
}

void Repl::show_parameters() {
  const auto print = [this](const serve::Parameters& parameters) {
    bool any = false;
    for (const serve::ParameterRow& row : serve::parameter_rows())
      for (const std::string& value : serve::parameter_values(parameters, row)) {
        say(fmt::format("  {:<20} {}", row.name, value));
        any = true;
      }
    return any;
  };
  say("Model defined parameters:");
  if (!print(conversation_.model().recommended)) say("  No additional parameters were specified for this model.");
  say("\nUser defined parameters:");
  if (!print(conversation_.settings.parameters)) say("  No parameters specified.");
  fmt::print(io_.out, "\n");
}

void Repl::show_modelfile() {
  std::string text = fmt::format("FROM {}\n", model_name_);
  for (const serve::ParameterRow& row : serve::parameter_rows())
    for (const std::string& value : serve::parameter_values(conversation_.settings.parameters, row))
      text += fmt::format("PARAMETER {} {}\n", row.name, value);
  const std::string& system = conversation_.settings.system;
  if (!system.empty()) text += fmt::format("SYSTEM \"\"\"{}\"\"\"\n", system);
  say(text);
  fmt::print(io_.out, "\n");
}

Status Repl::load_model(const std::string& name) {
  std::fflush(io_.out);
  const Spinner spinner(io_, "loading the model");
  QN_TRY(std::unique_ptr<serve::LoadedModel> model, loader_.load(name, options_));
  conversation_.replace_model(std::move(model));
  model_name_ = name;
  return {};
}

void Repl::load(const std::string& name) {
  if (name.empty()) return say("Usage:\n  /load NAME");
  const WordKind kind = classify(name);
  if (kind == WordKind::missing || kind == WordKind::words) return say(fmt::format("Couldn't find model '{}'", name));
  say(fmt::format("Loading model '{}'", name));
  if (kind == WordKind::model) {
    if (const Status loaded = load_model(name); !loaded) {
      report(io_, loaded.error());
      return;
    }
    conversation_.messages.clear();
    return;
  }
  Result<SavedChat> chat = load_chat(saved_chat_path(name));
  if (!chat) {
    report(io_, chat.error());
    return;
  }
  if (chat->model != model_name_ && chat->model != std::filesystem::absolute(model_name_)) {
    if (const Status loaded = load_model(chat->model); !loaded) {
      report(io_, loaded.error());
      return;
    }
  }
  conversation_.settings.system = std::move(chat->system);
  conversation_.settings.parameters = std::move(chat->parameters);
  conversation_.messages = std::move(chat->messages);
}

void Repl::save(const std::string& name) {
  if (name.empty()) return say("Usage:\n  /save NAME");
  if (classify(name) == WordKind::model) return say(fmt::format("Couldn't save '{}': a model has that name; choose another", name));
  // A path must still be found from another directory.
  const std::string model = model_name_ == builtin_model_name ? model_name_ : std::filesystem::absolute(model_name_).string();
  const SavedChat chat{model, conversation_.settings.system, conversation_.settings.parameters, conversation_.messages};
  if (const Status saved = save_chat(chat, saved_chat_path(name)); !saved)
    report(io_, saved.error());
  else
    say(fmt::format("Created new model '{}'", name));
}

void Repl::list() {
  say(fmt::format("NAME\n{}", builtin_model_name));
  std::error_code none;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(state_directory() / "chats", none))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) say(name);
}

}  // namespace qn::cli
