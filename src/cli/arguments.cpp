#include "cli/arguments.h"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>

#include "cli/nearest.h"

namespace qn::cli {
namespace {

constexpr std::size_t line_columns = 100;
constexpr std::size_t longest_name_column = 34;

std::string flag_text(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += (text.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) text += (text.empty() ? "--" : ", --") + name;
  // A flag (no item of its own on the command line) with a type name takes its value behind '=' only.
  const std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0) return type.empty() ? text : text + "[=" + type + "]";
  return type.empty() ? text : text + " " + type;
}

void print_help(const CLI::App& app, const Help& help, std::FILE* out) {
  fmt::print(out, "{}\n\nUsage:\n", help.summary);
  for (std::string_view line : help.usage) fmt::print(out, "  {}\n", line);

  std::vector<std::string> groups;  // in the order of their first option
  std::map<std::string, std::vector<const CLI::Option*>> members;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->get_group().empty()) continue;
    const std::string& group = option->get_group();
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    members[group].push_back(option);
  }
  for (const std::string& group : groups) {
    fmt::print(out, "\n{}:\n", group);
    std::vector<std::string> names;
    for (const CLI::Option* option : members[group]) names.push_back(flag_text(*option));
    std::vector<HelpRow> rows;
    for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], members[group][i]->get_description()});
    print_rows(out, rows);
  }
  if (!help.environment.empty()) {
    fmt::print(out, "\nEnvironment:\n");
    print_rows(out, help.environment);
  }
  if (!help.examples.empty()) {
    fmt::print(out, "\nExamples:\n");
    for (std::string_view line : help.examples) fmt::print(out, "  {}\n", line);
  }
  if (!help.more.empty()) fmt::print(out, "\n{}\n", help.more);
}

std::string unknown_flag(const CLI::App& app, std::string_view typed) {
  const std::string_view flag = typed.substr(0, typed.find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return fmt::format("{}: unknown flag{}", qn::quoted(flag), did_you_mean(flag, known));
}

// CLI11's reasons in our form: the thing, the finding, the remedy.
std::string reason(const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::size_t colon = text.find(": "), equals = text.find(" = ");
  if (error.get_name() == "ArgumentMismatch" && colon != std::string::npos)
    return text.substr(0, colon) + ": a value is missing; see --help";
  if (error.get_name() == "ConversionError" && colon != std::string::npos && equals != std::string::npos)
    return fmt::format("{}: {} is no value for it; see --help", text.substr(colon + 2, equals - colon - 2),
                       qn::quoted(text.substr(equals + 3)));
  return text;
}

}  // namespace

void print_rows(std::FILE* out, std::span<const HelpRow> rows) {
  std::size_t column = 0;
  for (const HelpRow& row : rows) column = std::max(column, row.name.size());
  column = std::min(column, longest_name_column);
  for (const HelpRow& row : rows) {
    fmt::print(out, "  {:<{}}", row.name, column);
    if (row.name.size() > column) fmt::print(out, "\n  {:<{}}", "", column);
    std::string_view rest = row.text;
    const std::size_t room = line_columns - column - 4;
    bool first = true;
    while (!rest.empty()) {
      std::size_t cut = rest.size();
      if (cut > room) {
        cut = rest.rfind(' ', room);
        if (cut == std::string_view::npos || cut == 0) cut = room;
      }
      fmt::print(out, "{:{}}  {}\n", "", first ? 0 : column + 2, rest.substr(0, cut));
      rest.remove_prefix(cut);
      while (rest.starts_with(' ')) rest.remove_prefix(1);
      first = false;
    }
    if (first) fmt::print(out, "\n");
  }
}

std::optional<int> parse_arguments(CLI::App& app, const Help& help, std::span<const std::string> args, Io& io) {
  app.allow_extras();
  bool wants_help = false;
  try {
    app.set_help_flag();
    app.add_flag("-h,--help", wants_help, "print this help")->group("Help");
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    if (wants_help) {
      print_help(app, help, io.out);
      return exit_ok;
    }
    return usage_error(io, help.command, reason(error));
  }
  if (wants_help) {
    print_help(app, help, io.out);
    return exit_ok;
  }
  std::vector<std::string> extras = app.remaining();
  std::erase(extras, "--");  // CLI11 leaves the end of flags among what it does not know
  for (const std::string& extra : extras)
    if (extra.size() > 1 && extra.starts_with('-')) return usage_error(io, help.command, unknown_flag(app, extra));
  if (!extras.empty()) return usage_error(io, help.command, fmt::format("{}: unexpected argument", qn::quoted(extras.front())));
  return std::nullopt;
}

}  // namespace qn::cli
