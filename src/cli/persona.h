// Persona: another tool's command line, answered by ours. Its flags are a table: one row for each, saying what it becomes here.
// personas/foo_bar.cpp defines `Persona persona_foo_bar()`, the tool `foo-bar` or the tool `foo` with its command `bar`; the build lists
// them all.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"

namespace qn::cli {

enum class Takes {
  nothing,
  value,
  optional_value,  // only one of `choices` directly after the flag counts
  values,          // one, and what follows up to the next flag: each becomes one flag of ours
};

enum class Treatment {
  map,     // the same effect, through our flag `becomes`
  no_op,   // accepted; reported once with `remark`
  refuse,  // exit 2 with `remark`: accepting it would change the answer unseen
};

struct PersonaFlag {
  std::string_view names;  // as typed, separated by blanks: "-c --ctx-size"
  Takes takes;
  Treatment treatment;
  std::string_view becomes = {};  // our flag, "--ctx"; with a value of its own where it has one: "--conversation=off"
  std::string_view remark = {};   // no_op and refuse: the reason, a clause
  std::string_view choices = {};  // optional_value: the words that are values, separated by blanks
  Result<std::string> (*convert)(std::string_view value) = nullptr;  // the tool's value as ours
};

// The tool's arguments as ours, and what to tell the user once.
struct Translation {
  std::vector<std::string> args;
  std::vector<std::string> notes;
  bool help = false, version = false;

  bool has(std::string_view flag) const;                               // one of ours, "--host", among args
  std::optional<std::string_view> value(std::string_view flag) const;  // of its last
  std::optional<std::string_view> word() const;                        // the first argument without a flag
};

enum class Words { refused, passed_on, passed_on_with_flags };  // arguments without a flag; the last: and our command's own flags
enum class Spelling { exact, underscores_are_dashes };

struct Persona {
  std::string_view tool;     // "llama-cli"
  std::string_view command;  // our command that answers
  std::span<const PersonaFlag> flags;
  std::span<const std::string_view> defaults;  // our flags that make our defaults those of the tool
  std::string_view summary;
  Words words = Words::refused;
  std::string_view subcommands = {};  // of a tool that has several: the names of this one, separated by blanks
  Spelling spelling = Spelling::exact;
  void (*finish)(Translation& ours) = nullptr;  // what follows from several flags together, or from none
};

std::vector<Persona> all_personas();

//   errors   bad_input: the unknown flag and the nearest known one, or the flag whose value is missing; unsupported: a refused flag
Result<Translation> translate(const Persona& persona, std::span<const std::string> args);

// Tools, and commands of tools, that are known but not answered yet: why, and what to do instead.
std::optional<std::string_view> tool_not_offered(std::string_view name);
std::optional<std::string_view> command_not_offered(std::string_view tool, std::string_view command);

// The parts of a text between blanks.
std::vector<std::string_view> words_of(std::string_view text);

}  // namespace qn::cli
