// Strings: lengths in characters, patterns, formats.
#include <algorithm>

#include "base/check.h"
#include "text/grammar/json_text.h"
#include "text/grammar/regex.h"
#include "text/grammar/schema/writer.h"

namespace qn::text::schema {
namespace {

using grammar::Regex;
using grammar::RegexNode;

// ^[class]*$ and the like: a number of characters out of one class. The node that repeats, if it is one.
RegexNode* plain_repetition(Regex& regex) {
  std::vector<std::uint32_t> parts{regex.root};
  if (regex.nodes[regex.root].kind == RegexNode::Kind::sequence) parts = regex.nodes[regex.root].parts;
  if (parts.size() != 3 || regex.nodes[parts[0]].kind != RegexNode::Kind::begin || regex.nodes[parts[2]].kind != RegexNode::Kind::end)
    return nullptr;
  RegexNode& middle = regex.nodes[parts[1]];
  if (middle.kind != RegexNode::Kind::repeat || regex.nodes[middle.parts[0]].kind != RegexNode::Kind::characters) return nullptr;
  return &middle;
}

// The lengths of the texts that match; a greatest one of -1 is none. Anchored expressions only.
struct Lengths {
  std::int64_t min, max;
};
std::vector<Lengths> lengths_of(const Regex& regex) {
  constexpr std::int64_t cap = 1'000'000;
  std::vector<Lengths> of;
  for (const RegexNode& node : regex.nodes) {
    Lengths l{0, 0};
    switch (node.kind) {
      case RegexNode::Kind::characters: l = {1, 1}; break;
      case RegexNode::Kind::sequence:
        for (const std::uint32_t part : node.parts) {
          l.min = std::min(cap, l.min + of[part].min);
          l.max = l.max < 0 || of[part].max < 0 ? -1 : std::min(cap, l.max + of[part].max);
        }
        break;
      case RegexNode::Kind::choice:
        l = of[node.parts[0]];
        for (const std::uint32_t part : node.parts) {
          l.min = std::min(l.min, of[part].min);
          l.max = l.max < 0 || of[part].max < 0 ? -1 : std::max(l.max, of[part].max);
        }
        break;
      case RegexNode::Kind::repeat: {
        const Lengths body = of[node.parts[0]];
        l.min = std::min(cap, body.min * node.min);
        l.max = node.max < 0 || body.max < 0 ? (body.max == 0 ? 0 : -1) : std::min(cap, body.max * node.max);
        break;
      }
      default: break;
    }
    of.push_back(l);
  }
  return of;
}

bool anchored(const Regex& regex) {
  const RegexNode& root = regex.nodes[regex.root];
  return root.kind == RegexNode::Kind::sequence && root.parts.size() >= 2 &&
         regex.nodes[root.parts.front()].kind == RegexNode::Kind::begin && regex.nodes[root.parts.back()].kind == RegexNode::Kind::end;
}

}  // namespace

Result<RuleId> Writer::write_pattern(const std::string& pattern, const std::string& where, bool whole) {
  QN_TRY(Regex regex, grammar::parse_regex(pattern, where, limits_));
  const auto write_characters = [this](std::span<const CharRange> ranges) { return characters(ranges); };
  QN_TRY(const RuleId inner,
         grammar::write_regex(builder_, regex, whole ? grammar::Find::whole : grammar::Find::anywhere, write_characters, where));
  return builder_.sequence({builder_.literal("\""), inner, builder_.literal("\"")});
}

// The lengths become part of the expression where that is possible, or follow from it.
Result<RuleId> Writer::write_pattern_of_length(const std::string& pattern, const std::string& where, const Facts& facts) {
  QN_TRY(Regex regex, grammar::parse_regex(pattern, where, limits_));
  if (RegexNode* repetition = plain_repetition(regex)) {
    repetition->min = std::max(repetition->min, facts.min_length);
    if (facts.max_length) repetition->max = repetition->max < 0 ? *facts.max_length : std::min(repetition->max, *facts.max_length);
    if (repetition->max >= 0 && repetition->min > repetition->max) return builder_.choice({});
  } else {
    const Lengths lengths = lengths_of(regex)[regex.root];
    const bool holds =
        lengths.min >= facts.min_length && (!facts.max_length || (anchored(regex) && lengths.max >= 0 && lengths.max <= *facts.max_length));
    if (!holds)
      return fail(Code::unsupported,
                  "{}: minLength or maxLength beside this pattern; put the lengths into the pattern, as in ^[a-z]{{1,20}}$", where);
  }
  const auto write_characters = [this](std::span<const CharRange> ranges) { return characters(ranges); };
  QN_TRY(const RuleId inner, grammar::write_regex(builder_, regex, grammar::Find::anywhere, write_characters, where));
  return builder_.sequence({builder_.literal("\""), inner, builder_.literal("\"")});
}

Result<RuleId> Writer::write_string(const Facts& facts) {
  const bool lengths = facts.min_length > 0 || facts.max_length;
  if (facts.max_length && *facts.max_length < facts.min_length) return builder_.choice({});
  const char* format = facts.format ? format_pattern(*facts.format) : "";
  if (facts.format && is_number_format(*facts.format)) format = "";
  if (format == nullptr)
    return fail(Code::unsupported, "{}: unknown format {}; use pattern, or leave it out", child_path(facts.path, "format"),
                quoted(*facts.format));
  std::vector<std::string> patterns = facts.patterns;
  const bool formatted = *format != '\0';
  if (formatted) patterns.push_back(std::string("^(?:") + format + ")$");
  if (patterns.size() > 1)
    return fail(Code::unsupported, "{}: {} for one string; join them into one pattern", facts.path,
                formatted ? "a pattern and a format" : "several patterns");
  if (patterns.empty()) {
    if (!lengths) return builder_.known_json("string");
    for (const int bound : {facts.min_length, facts.max_length.value_or(0)})
      if (bound > limits_.repetition)
        return fail(Code::too_large, "{}: a length of {}, at most {} accepted; leave it out", facts.path, bound, limits_.repetition);
    return builder_.sequence({builder_.literal("\""), builder_.repeat(builder_.known_json("character"), facts.min_length, facts.max_length),
                              builder_.literal("\"")});
  }
  const std::string where = child_path(facts.path, formatted ? "format" : "pattern");
  return lengths ? write_pattern_of_length(patterns[0], where, facts) : write_pattern(patterns[0], where, false);
}

}  // namespace qn::text::schema
