#include "cli/persona.h"

#include <algorithm>

#include "cli/nearest.h"

namespace qn::cli {
namespace {

const PersonaFlag* find_flag(const Persona& persona, std::string_view name) {
  for (const PersonaFlag& flag : persona.flags)
    for (std::string_view known : words_of(flag.names))
      if (known == name) return &flag;
  return nullptr;
}

// "--max_model_len" as "--max-model-len"; the value behind '=' stays.
std::string with_dashes(std::string arg) {
  if (!arg.starts_with("--")) return arg;
  for (char& c : arg) {
    if (c == '=') break;
    if (c == '_') c = '-';
  }
  return arg;
}

void add_note(Translation& to, std::string text) {
  if (std::find(to.notes.begin(), to.notes.end(), text) == to.notes.end()) to.notes.push_back(std::move(text));
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> list;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) list.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

bool Translation::has(std::string_view flag) const {
  return std::any_of(args.begin(), args.end(), [flag](std::string_view arg) { return arg.substr(0, arg.find('=')) == flag; });
}

std::optional<std::string_view> Translation::value(std::string_view flag) const {
  std::optional<std::string_view> last;
  for (const std::string_view arg : args)
    if (const std::size_t equals = arg.find('='); equals != std::string_view::npos && arg.substr(0, equals) == flag)
      last = arg.substr(equals + 1);
  return last;
}

std::optional<std::string_view> Translation::word() const {
  for (const std::string_view arg : args)
    if (!arg.starts_with('-')) return arg;
  return std::nullopt;
}

Result<Translation> translate(const Persona& persona, std::span<const std::string> args) {
  Translation ours;
  ours.args.assign(persona.defaults.begin(), persona.defaults.end());
  if (persona.words == Words::passed_on_with_flags) {
    ours.args.insert(ours.args.end(), args.begin(), args.end());
    if (persona.finish != nullptr) persona.finish(ours);
    return ours;
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string typed = persona.spelling == Spelling::underscores_are_dashes ? with_dashes(args[i]) : args[i];
    std::string_view name = typed;
    std::vector<std::string_view> values;
    if (name == "-h" || name == "--help" || name == "--usage" || name.starts_with("--help=")) {
      ours.help = true;
      continue;
    }
    if (name == "--version") {
      ours.version = true;
      continue;
    }
    const PersonaFlag* flag = find_flag(persona, name);
    if (const std::size_t equals = name.find('='); flag == nullptr && name.starts_with('-') && equals != std::string_view::npos) {
      values.push_back(name.substr(equals + 1));
      name = name.substr(0, equals);
      flag = find_flag(persona, name);
    }
    if (flag == nullptr) {
      if (!name.starts_with('-') && persona.words == Words::passed_on) {
        ours.args.push_back(args[i]);
        continue;
      }
      if (!name.starts_with('-'))
        return fail(Code::bad_input, "{}: {} takes no words without a flag; the prompt goes behind -p", qn::quoted(name), persona.tool);
      std::vector<std::string_view> known;
      for (const PersonaFlag& row : persona.flags)
        for (std::string_view word : words_of(row.names)) known.push_back(word);
      return fail(Code::bad_input, "{}: unknown flag of {}{}", qn::quoted(name), persona.tool, did_you_mean(name, known));
    }
    const bool given = !values.empty();  // behind '='
    switch (flag->takes) {
      case Takes::nothing:
        if (given) return fail(Code::bad_input, "{}: takes no value, got {}", name, qn::quoted(values.front()));
        break;
      case Takes::value:
        if (!given && i + 1 == args.size()) return fail(Code::bad_input, "{}: a value is missing; see --help", name);
        if (!given) values.push_back(args[++i]);
        break;
      case Takes::optional_value: {
        const std::vector<std::string_view> choices = words_of(flag->choices);
        if (!given && i + 1 < args.size() && std::find(choices.begin(), choices.end(), args[i + 1]) != choices.end())
          values.push_back(args[++i]);
        break;
      }
      case Takes::values:
        while (!given && i + 1 < args.size() && !args[i + 1].starts_with('-')) values.push_back(args[++i]);
        if (values.empty()) return fail(Code::bad_input, "{}: a value is missing; see --help", name);
        break;
    }
    switch (flag->treatment) {
      case Treatment::refuse: return fail(Code::unsupported, "{}: {}", name, flag->remark);
      case Treatment::no_op: add_note(ours, fmt::format("{} has no effect: {}", name, flag->remark)); break;
      case Treatment::map:
        if (values.empty()) ours.args.emplace_back(flag->becomes);
        for (std::string_view value : values) {
          std::string converted(value);
          if (flag->convert != nullptr) {
            Result<std::string> result = flag->convert(value);
            if (!result) return fail(result.error().code, "{}: {}", name, result.error().message);
            converted = *std::move(result);
          }
          ours.args.push_back(fmt::format("{}={}", flag->becomes, converted));
        }
        if (!flag->remark.empty()) add_note(ours, fmt::format("{}: {}", name, flag->remark));
        break;
    }
  }
  if (persona.finish != nullptr) persona.finish(ours);
  return ours;
}

std::optional<std::string_view> tool_not_offered(std::string_view name) {
  static constexpr std::string_view tools[] = {"llama-completion", "llama-bench", "modelscope"};
  for (std::string_view tool : tools)
    if (tool == name) return "this version does not answer to that tool's command line yet; see 'quern --help' for what it does";
  return std::nullopt;
}

std::optional<std::string_view> command_not_offered(std::string_view tool, std::string_view command) {
  struct Row {
    std::string_view tool, commands, reason;
  };
  static constexpr Row rows[] = {
      {"ollama", "pull push create cp rm", "this version keeps no models of its own; give a file: ollama run model.gguf"},
      {"ollama", "list ls show ps stop", "this version keeps no models of its own; a server tells what it has at /api/tags and /api/ps"},
      {"ollama", "signin login signout logout", "there are no accounts; leave it out"},
      {"ollama", "launch", "start the other program yourself, with this server's address"},
      {"vllm", "chat complete", "chat with quern run, or ask the server with any OpenAI client"},
      {"vllm", "bench", "quern bench serve measures a server, quern bench a model"},
      {"vllm", "run-batch collect-env launch", "it is not offered"},
  };
  for (const Row& row : rows)
    if (row.tool == tool)
      for (std::string_view name : words_of(row.commands))
        if (name == command) return row.reason;
  return std::nullopt;
}

}  // namespace qn::cli
