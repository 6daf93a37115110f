#include "text/grammar/json_text.h"

#include "text/grammar/utf8_ranges.h"

namespace qn::text::grammar {
namespace {

RuleId digits(GrammarBuilder& b, int min, int max) {
  static constexpr CharRange digit[] = {{'0', '9'}};
  return b.repeat(b.characters(digit), min, max);
}

RuleId one_of(GrammarBuilder& b, std::initializer_list<CharRange> ranges) {
  return b.characters(std::span(ranges.begin(), ranges.size()));
}

RuleId hex(GrammarBuilder& b) {
  return one_of(b, {{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
}

RuleId escape(GrammarBuilder& b) {
  const RuleId simple = one_of(b, {{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}});
  const RuleId d = one_of(b, {{'d', 'd'}, {'D', 'D'}});
  const RuleId not_d = one_of(b, {{'0', '9'}, {'a', 'c'}, {'e', 'f'}, {'A', 'C'}, {'E', 'F'}});
  const RuleId low_half = b.sequence({b.literal("\\u"), d, one_of(b, {{'c', 'f'}, {'C', 'F'}}), hex(b), hex(b)});
  const RuleId high_half = b.sequence({d, one_of(b, {{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), hex(b), hex(b)});
  const RuleId unit = b.choice({b.sequence({not_d, hex(b), hex(b), hex(b)}), b.sequence({d, one_of(b, {{'0', '7'}}), hex(b), hex(b)}),
                                b.sequence({high_half, low_half})});
  return b.sequence({b.literal("\\"), b.choice({simple, b.sequence({b.literal("u"), unit})})});
}

std::string escaped(char32_t c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
}

}  // namespace

std::vector<CharRange> plain_json_characters() {
  static constexpr CharRange escaped_ones[] = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
  return complement(escaped_ones);
}

RuleId json_space(GrammarBuilder& b) {
  return b.optional(b.literal(" "));
}

RuleId json_character(GrammarBuilder& b) {
  return b.choice({b.characters(plain_json_characters()), escape(b)});
}

RuleId json_string(GrammarBuilder& b) {
  return b.sequence({b.literal("\""), b.repeat(json_character(b), 0), b.literal("\"")});
}

RuleId json_integer(GrammarBuilder& b) {
  return b.sequence({b.optional(b.literal("-")), b.choice({b.literal("0"), b.sequence({one_of(b, {{'1', '9'}}), digits(b, 0, 19)})})});
}

RuleId json_number(GrammarBuilder& b) {
  const RuleId fraction = b.sequence({b.literal("."), digits(b, 1, 20)});
  const RuleId exponent =
      b.sequence({one_of(b, {{'e', 'e'}, {'E', 'E'}}), b.optional(one_of(b, {{'+', '+'}, {'-', '-'}})), digits(b, 1, 2)});
  return b.sequence({json_integer(b), b.optional(fraction), b.optional(exponent)});
}

RuleId json_characters(GrammarBuilder& b, std::span<const CharRange> ranges) {
  const std::vector<CharRange> clean = normalized(ranges);
  std::vector<RuleId> forms{b.characters(intersection(clean, plain_json_characters()))};
  for (const CharRange& range : clean) {
    for (char32_t c = range.first; c <= range.last && c < 0x20; ++c) forms.push_back(b.literal(escaped(c)));
    for (const char32_t c : {U'"', U'\\'})
      if (range.first <= c && c <= range.last) forms.push_back(b.literal(escaped(c)));
  }
  return b.choice(forms);
}

std::string json_quoted(std::string_view text) {
  return json::print(json::Value(text));
}

RuleId json_array(GrammarBuilder& b, RuleId item) {
  const RuleId more = b.sequence({b.literal(","), json_space(b), item});
  return b.sequence({b.literal("["), b.optional(b.sequence({item, b.repeat(more, 0)})), b.literal("]")});
}

RuleId json_object(GrammarBuilder& b, RuleId key, RuleId value) {
  const RuleId pair = b.sequence({key, b.literal(":"), json_space(b), value});
  const RuleId more = b.sequence({b.literal(","), json_space(b), pair});
  return b.sequence({b.literal("{"), b.optional(b.sequence({pair, b.repeat(more, 0)})), b.literal("}")});
}

}  // namespace qn::text::grammar
