// Persona: another tool's command line, answered by ours. Its flags are a table: one row for each, saying what it becomes here.
// personas/foo_bar.cpp defines `Persona persona_foo_bar()`, the tool `foo-bar`; the build lists them all.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"

namespace qn::cli {

enum class Takes { nothing, value, optional_value };  // optional: only one of `choices` directly after the flag counts as its value

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
};

enum class Words { refused, passed_on };  // arguments without a flag

struct Persona {
  std::string_view tool;     // "llama-cli"
  std::string_view command;  // our command that answers
  std::span<const PersonaFlag> flags;
  std::span<const std::string_view> defaults;  // our flags that make our defaults those of the tool
  std::string_view summary;
  Words words = Words::refused;
};

std::vector<Persona> all_personas();

// The tool's arguments as ours, and what to tell the user once.
struct Translation {
  std::vector<std::string> args;
  std::vector<std::string> notes;
  bool help = false, version = false;
};
//   errors   bad_input: the unknown flag and the nearest known one, or the flag whose value is missing; unsupported: a refused flag
Result<Translation> translate(const Persona& persona, std::span<const std::string> args);

// Tools whose command line is known but not answered yet.
std::optional<std::string_view> tool_not_offered(std::string_view name);

}  // namespace qn::cli
