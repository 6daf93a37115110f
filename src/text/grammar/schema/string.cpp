// Strings: lengths in characters, patterns, formats.
#include <algorithm>

#include "base/check.h"
#include "text/grammar/json_text.h"
#include "text/grammar/regex.h"
#include "text/grammar/regex_product.h"
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
struct Range {
  std::int64_t min, max;
};
std::vector<Range> range_of(const Regex& regex) {
  constexpr std::int64_t cap = 1'000'000;
  std::vector<Range> of;
  for (const RegexNode& node : regex.nodes) {
    Range l{0, 0};
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
        const Range body = of[node.parts[0]];
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

// A name that a patternProperties speaks of, as a string.
Result<RuleId> Writer::write_key_pattern(const std::string& pattern, const std::string& where) {
  QN_TRY(Regex regex, grammar::parse_regex(pattern, where, limits_));
  const auto write_characters = [this](std::span<const CharRange> ranges) { return characters(ranges); };
  QN_TRY(const RuleId inner, grammar::write_regex(builder_, regex, grammar::Find::anywhere, write_characters, where));
  return builder_.sequence({builder_.literal("\""), inner, builder_.literal("\"")});
}

// What holds anyway is not written twice, and a single repeated class takes the lengths as its own; else all run side by side.
Result<RuleId> Writer::write_patterns(const std::vector<std::string>& patterns, const std::string& where, const Facts& facts) {
  std::vector<Regex> regexes;
  for (const std::string& pattern : patterns) {
    QN_TRY(Regex regex, grammar::parse_regex(pattern, where, limits_));
    regexes.push_back(std::move(regex));
  }
  const auto write_characters = [this](std::span<const CharRange> ranges) { return characters(ranges); };
  const RuleId quote = builder_.literal("\"");
  grammar::Lengths lengths{facts.min_length, facts.max_length};
  if (regexes.size() == 1) {
    Regex& regex = regexes[0];
    if (RegexNode* repetition = plain_repetition(regex)) {
      repetition->min = std::max(repetition->min, lengths.min);
      if (lengths.max) repetition->max = repetition->max < 0 ? *lengths.max : std::min(repetition->max, *lengths.max);
      if (repetition->max >= 0 && repetition->min > repetition->max) return builder_.choice({});
      lengths = {};
    } else {
      const Range range = range_of(regex)[regex.root];
      if (range.min >= lengths.min && (!lengths.max || (anchored(regex) && range.max >= 0 && range.max <= *lengths.max))) lengths = {};
    }
    if (lengths.min == 0 && !lengths.max) {
      QN_TRY(const RuleId inner, grammar::write_regex(builder_, regex, grammar::Find::anywhere, write_characters, where));
      return builder_.sequence({quote, inner, quote});
    }
  }
  QN_TRY(const RuleId inner, grammar::write_product(builder_, regexes, lengths, quote, write_characters, where));
  return builder_.sequence({quote, inner});
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
  std::string within = formatted && facts.max_length ? format_pattern_within(*facts.format, *facts.max_length) : std::string();
  if (!within.empty()) format = within.c_str();
  if (formatted) patterns.push_back(std::string("^(?:") + format + ")$");
  if (patterns.empty()) {
    if (!lengths) return builder_.known_json("string");
    for (const int bound : {facts.min_length, facts.max_length.value_or(0)})
      if (bound > limits_.repetition)
        return fail(Code::too_large, "{}: a length of {}, at most {} accepted; leave it out", facts.path, bound, limits_.repetition);
    return builder_.sequence({builder_.literal("\""), builder_.repeat(builder_.known_json("character"), facts.min_length, facts.max_length),
                              builder_.literal("\"")});
  }
  return write_patterns(patterns, child_path(facts.path, formatted ? "format" : "pattern"), facts);
}

}  // namespace qn::text::schema
