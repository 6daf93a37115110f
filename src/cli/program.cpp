#include "cli/program.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/nearest.h"
#include "cli/persona.h"

namespace qn::cli {
namespace {

constexpr std::string_view group_title(Group group) {
  switch (group) {
    case Group::chat: return "Chat";
    case Group::models: return "Models";
    case Group::tools: return "Tools";
    case Group::program: break;
  }
  return "Program";
}

// Flags before the command. Those of parts that are not there yet are refused by name rather than ignored.
constexpr HelpRow global_flags[] = {
    {"--color auto|always|never", "colours; auto follows NO_COLOR, CLICOLOR_FORCE and the terminal"},
    {"-q, --quiet", "no warnings and no notes"},
    {"-v, --version", "print the version"},
    {"-h, --help", "print this help"},
};

std::string full_name(const Persona& persona) {
  if (persona.subcommands.empty()) return std::string(persona.tool);
  return fmt::format("{} {}", persona.tool, words_of(persona.subcommands).front());
}

int run_persona(const Persona& persona, std::span<const std::string> args, Io& io) {
  Result<Translation> ours = translate(persona, args);
  if (!ours) {
    report(io, ours.error());
    fmt::print(io.err, "See 'quern {} --help'\n", full_name(persona));
    return exit_usage;
  }
  if (ours->version) {
    fmt::print(io.out, "quern version is {}\n", program_version());
    return exit_ok;
  }
  if (ours->help) {
    fmt::print(io.out, "{}\n\nUsage:\n  {} [flags]{}\n\nFlags:\n", persona.summary, full_name(persona),
               persona.words == Words::passed_on ? " WORDS..." : "");
    std::vector<std::string> texts;
    std::vector<HelpRow> rows;
    for (const PersonaFlag& flag : persona.flags) {
      if (flag.treatment == Treatment::map)
        texts.push_back(flag.becomes.empty() ? "" : fmt::format("{}", flag.becomes));
      else
        texts.push_back(fmt::format("{}: {}", flag.treatment == Treatment::no_op ? "no effect" : "not offered", flag.remark));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) rows.push_back({persona.flags[i].names, texts[i]});
    print_rows(io.out, rows);
    fmt::print(io.out, "\nThe right column is the flag of 'quern {0}' that a flag becomes; see 'quern {0} --help'.\n", persona.command);
    return exit_ok;
  }
  for (const std::string& text : ours->notes) note(io, text);
  const std::vector<Command> commands = all_commands();
  const Command* command = find_command(commands, persona.command);
  QN_CHECK(command != nullptr, "a persona names a command that exists");
  return command->run(ours->args, io);
}

// A tool with several commands: `ollama serve`, `vllm serve MODEL`.
int run_tool(std::string_view tool, std::span<const Persona> commands, std::span<const std::string> args, Io& io) {
  const bool asks_help = args.empty() || args[0] == "help" || args[0] == "-h" || args[0] == "--help";
  if (!args.empty() && (args[0] == "-v" || args[0] == "--version")) {
    fmt::print(io.out, "quern version is {}\n", program_version());
    return exit_ok;
  }
  const std::string_view name = asks_help ? (args.size() > 1 ? std::string_view(args[1]) : "") : std::string_view(args[0]);
  std::vector<std::string_view> known;
  for (const Persona& persona : commands)
    for (std::string_view word : words_of(persona.subcommands)) {
      known.push_back(word);
      if (word != name) continue;
      static const std::string help_flag[] = {"--help"};
      return run_persona(persona, asks_help ? std::span<const std::string>(help_flag) : args.subspan(1), io);
    }
  if (const auto reason = command_not_offered(tool, name))
    return report(io, {Code::not_found, fmt::format("{} {}: {}", tool, name, *reason)});
  if (!name.empty())
    return usage_error(io, tool, fmt::format("unknown command {} of {}{}", qn::quoted(name), tool, did_you_mean(name, known)));
  fmt::print(io.out, "Usage:\n  {} <command> [flags] [args]\n\nCommands:\n", tool);
  std::vector<std::string> names;
  for (const Persona& persona : commands) {
    std::string all;
    for (std::string_view word : words_of(persona.subcommands)) all += (all.empty() ? "" : ", ") + std::string(word);
    names.push_back(all);
  }
  std::vector<HelpRow> rows;
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], commands[i].summary});
  print_rows(io.out, rows);
  fmt::print(io.out, "\nSee '{0} help COMMAND' for one command, and 'quern --help' for what else this program does.\n", tool);
  return exit_ok;
}

// The global flags at the front of args, applied to io. What remains begins with the command.
struct Front {
  std::span<const std::string> rest;
  bool help = false, version = false;
};
Result<Front> read_front(std::span<const std::string> args, Io& io) {
  Front front;
  while (!args.empty() && args[0].starts_with('-') && args[0].size() > 1) {
    std::string_view flag = args[0];
    std::string_view value;
    const std::size_t equals = flag.find('=');
    if (equals != std::string_view::npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    }
    args = args.subspan(1);
    if (flag == "-h" || flag == "--help") {
      front.help = true;
    } else if (flag == "-v" || flag == "--version") {
      front.version = true;
    } else if (flag == "-q" || flag == "--quiet") {
      io.quiet = true;
    } else if (flag == "--color" || flag == "--colour") {
      if (equals == std::string_view::npos) {
        if (args.empty()) return fail(Code::bad_input, "--color: a value is missing; give auto, always or never");
        value = args[0];
        args = args.subspan(1);
      }
      if (value == "auto")
        choose_colour(io, ColourChoice::automatic);
      else if (value == "always")
        choose_colour(io, ColourChoice::always);
      else if (value == "never")
        choose_colour(io, ColourChoice::never);
      else
        return fail(Code::bad_input, "--color: expected auto, always or never, got {}", qn::quoted(value));
    } else if (flag == "--config" || flag == "--host" || flag == "--log-format") {
      return fail(Code::unsupported, "{}: this version has no server and no configuration file; leave it out", flag);
    } else {
      static constexpr std::string_view known[] = {"--color", "--quiet", "--version", "--help", "-q", "-v", "-h"};
      return fail(Code::bad_input, "{}: unknown flag{}", qn::quoted(flag), did_you_mean(flag, known));
    }
  }
  front.rest = args;
  return front;
}

}  // namespace

std::string_view program_version() {
  return QN_VERSION;
}

const Command* find_command(std::span<const Command> commands, std::string_view name) {
  const auto found = std::find_if(commands.begin(), commands.end(), [name](const Command& c) { return c.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

int unknown_command(Io& io, std::span<const Command> commands, std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& command : commands) names.push_back(command.name);
  for (const Persona& persona : all_personas()) names.push_back(persona.tool);
  return usage_error(io, "", fmt::format("unknown command {}{}", qn::quoted(name), did_you_mean(name, names)));
}

void print_program_help(Io& io) {
  fmt::print(io.out,
             "Quern runs open language models on the machine you have.\n\nUsage:\n  quern [global flags] <command> [flags] [args]\n");
  const std::vector<Command> commands = all_commands();
  for (Group group : {Group::chat, Group::models, Group::tools, Group::program}) {
    std::vector<HelpRow> rows;
    for (const Command& command : commands)
      if (command.group == group) rows.push_back({command.name, command.summary});
    if (rows.empty()) continue;
    fmt::print(io.out, "\n{}:\n", group_title(group));
    print_rows(io.out, rows);
  }
  fmt::print(io.out, "\nAs another tool (also through a link of that name):\n");
  std::vector<HelpRow> rows;
  const std::vector<Persona> personas = all_personas();
  std::vector<std::string> names;
  for (const Persona& persona : personas) names.push_back(full_name(persona));
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], personas[i].summary});
  print_rows(io.out, rows);
  fmt::print(io.out, "\nGlobal flags:\n");
  print_rows(io.out, global_flags);
  fmt::print(
      io.out,
      "\nExamples:\n  quern run\n  quern run model.gguf \"Why is the sky blue?\"\n  cat notes.txt | quern run model.gguf Sum this up.\n"
      "\nSee 'quern help COMMAND' for one command.\n");
}

int run_program(std::span<const std::string> argv, Io& io) {
  std::string self = argv.empty() ? "quern" : std::filesystem::path(argv[0]).filename().string();
  std::span<const std::string> args = argv.empty() ? argv : argv.subspan(1);

  const auto as_tool = [&io](std::string_view name, std::span<const std::string> tool_args) -> std::optional<int> {
    std::vector<Persona> answering;
    for (const Persona& persona : all_personas())
      if (persona.tool == name) answering.push_back(persona);
    if (answering.size() == 1 && answering.front().subcommands.empty()) return run_persona(answering.front(), tool_args, io);
    if (!answering.empty()) return run_tool(name, answering, tool_args, io);
    if (const auto reason = tool_not_offered(name)) return usage_error(io, "", fmt::format("{}: {}", name, *reason));
    return std::nullopt;
  };
  if (const auto ended = as_tool(self, args)) return *ended;

  Result<Front> front = read_front(args, io);
  if (!front) {
    report(io, front.error());
    fmt::print(io.err, "See 'quern --help'\n");
    return exit_usage;
  }
  if (front->version) {
    fmt::print(io.out, "quern version is {}\n", program_version());
    return exit_ok;
  }
  const std::vector<Command> commands = all_commands();
  if (front->rest.empty()) {
    print_program_help(io);
    return exit_ok;
  }
  const std::string& name = front->rest[0];
  const Command* command = find_command(commands, name);
  if (command != nullptr) {
    static const std::string help_flag[] = {"--help"};
    return command->run(front->help ? std::span<const std::string>(help_flag) : front->rest.subspan(1), io);
  }
  if (const auto ended = as_tool(name, front->rest.subspan(1))) return *ended;
  return unknown_command(io, commands, name);
}

}  // namespace qn::cli
