#include "cli/persona.h"

#include <algorithm>

#include "cli/nearest.h"

namespace qn::cli {
namespace {

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> list;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) list.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

const PersonaFlag* find_flag(const Persona& persona, std::string_view name) {
  for (const PersonaFlag& flag : persona.flags)
    for (std::string_view known : words(flag.names))
      if (known == name) return &flag;
  return nullptr;
}

void add_note(Translation& to, std::string text) {
  if (std::find(to.notes.begin(), to.notes.end(), text) == to.notes.end()) to.notes.push_back(std::move(text));
}

}  // namespace

Result<Translation> translate(const Persona& persona, std::span<const std::string> args) {
  Translation ours;
  ours.args.assign(persona.defaults.begin(), persona.defaults.end());
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string_view name = args[i];
    std::optional<std::string_view> value;
    if (name == "-h" || name == "--help" || name == "--usage") {
      ours.help = true;
      continue;
    }
    if (name == "--version") {
      ours.version = true;
      continue;
    }
    const PersonaFlag* flag = find_flag(persona, name);
    if (flag == nullptr && name.starts_with("--") && name.find('=') != std::string_view::npos) {
      value = name.substr(name.find('=') + 1);
      name = name.substr(0, name.find('='));
      flag = find_flag(persona, name);
    }
    if (flag == nullptr) {
      if (!name.starts_with('-') && persona.words == Words::passed_on) {
        ours.args.emplace_back(name);
        continue;
      }
      if (!name.starts_with('-'))
        return fail(Code::bad_input, "{}: {} takes no words without a flag; the prompt goes behind -p", qn::quoted(name), persona.tool);
      std::vector<std::string_view> known;
      for (const PersonaFlag& row : persona.flags)
        for (std::string_view word : words(row.names)) known.push_back(word);
      return fail(Code::bad_input, "{}: unknown flag of {}{}", qn::quoted(name), persona.tool, did_you_mean(name, known));
    }
    if (flag->takes == Takes::nothing && value) return fail(Code::bad_input, "{}: takes no value, got {}", name, qn::quoted(*value));
    if (flag->takes == Takes::value && !value) {
      if (i + 1 == args.size()) return fail(Code::bad_input, "{}: a value is missing; see --help", name);
      value = args[++i];
    }
    if (flag->takes == Takes::optional_value && !value && i + 1 < args.size()) {
      const std::vector<std::string_view> choices = words(flag->choices);
      if (std::find(choices.begin(), choices.end(), args[i + 1]) != choices.end()) value = args[++i];
    }
    switch (flag->treatment) {
      case Treatment::refuse: return fail(Code::unsupported, "{}: {}", name, flag->remark);
      case Treatment::no_op: add_note(ours, fmt::format("{} has no effect: {}", name, flag->remark)); break;
      case Treatment::map:
        ours.args.emplace_back(flag->becomes);
        if (value) ours.args.back() += fmt::format("={}", *value);
        break;
    }
  }
  return ours;
}

std::optional<std::string_view> tool_not_offered(std::string_view name) {
  static constexpr std::string_view tools[] = {"ollama", "vllm", "llama-server", "llama-completion", "llama-bench", "modelscope"};
  for (std::string_view tool : tools)
    if (tool == name) return "this version does not answer to that tool's command line yet; see 'quern --help' for what it does";
  return std::nullopt;
}

}  // namespace qn::cli
