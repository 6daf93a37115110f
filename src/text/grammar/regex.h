// Regular expressions, read into a tree and written as parts of a grammar: linear in their text, and never matched by backtracking.
//   source   ECMA-262 2024, section 22.2, with the `u` flag; of Python's and RE2's forms what means the same there
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/grammar/grammar.h"

namespace qn::text::grammar {

struct RegexNode {
  enum class Kind : std::uint8_t { characters, sequence, choice, repeat, begin, end };  // the last two are ^ and $
  Kind kind;
  std::vector<CharRange> ranges;     // of characters
  std::vector<std::uint32_t> parts;  // older nodes
  int min = 0, max = 0;              // of repeat; -1 is without end
};

struct Regex {
  std::vector<RegexNode> nodes;
  std::uint32_t root = 0;
};

//   where    begins the messages
//   errors   bad_input, unsupported, too_large: the offset
Result<Regex> parse_regex(std::string_view pattern, const std::string& where, const GrammarLimits& limits);

enum class Find { whole, anywhere };  // the expression is the text, or is somewhere in it as JSON Schema's `pattern` has it

// How one character out of some is written: as UTF-8, or within a JSON string.
using WriteCharacters = std::function<RuleId(std::span<const CharRange>)>;

//   errors   unsupported: ^ or $ between other things
Result<RuleId> write_regex(GrammarBuilder& builder, Regex& regex, Find find, const WriteCharacters& characters, const std::string& where);

// \d \w \s and their complements, by letter; nothing else.
std::vector<CharRange> class_of_letter(char letter);

// \p{NAME}: a general category of Unicode, "L" or "Lu", "Letter" and the like. Empty: no such one.
std::vector<CharRange> class_of_category(std::string_view name);

}  // namespace qn::text::grammar
