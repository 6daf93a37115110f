#include <algorithm>

#include "base/utf8.h"
#include "text/grammar/regex.h"
#include "text/grammar/utf8_ranges.h"

namespace qn::text::grammar {
namespace {

constexpr char32_t end_of_text = 0xFFFFFFFF;

bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

int hex_value(char32_t c) {
  if (is_digit(c)) return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A') + 10;
  return -1;
}

class Parser {
 public:
  Parser(std::string_view pattern, const std::string& where, const GrammarLimits& limits)
      : text_(pattern), where_(where), limits_(limits) {}

  Result<Regex> parse() {
    if (text_.size() > limits_.source_bytes)
      return fail(Code::too_large, "{}: regular expression of {} bytes, at most {} accepted; shorten it", where_, text_.size(),
                  limits_.source_bytes);
    if (!utf8::is_valid(text_)) return fail(Code::bad_input, "{}: regular expression is not UTF-8; send text", where_);
    const Result<Id> root = choice();
    if (too_many_)
      return fail(Code::too_large, "{}: more than {} automaton states; shorten the regular expression", where_, limits_.states);
    if (!root) return tl::unexpected<Error>(root.error());
    regex_.root = *root;
    if (peek() == ')') return bad("a ) that no ( opens; write \\) for the character");
    return std::move(regex_);
  }

 private:
  using Id = std::uint32_t;

  template <class... Args>
  tl::unexpected<Error> bad(fmt::format_string<Args...> text, Args&&... args) const {
    return fail(Code::bad_input, "{}: at byte {} of the regular expression: {}", where_, at_,
                fmt::format(text, std::forward<Args>(args)...));
  }
  tl::unexpected<Error> unsupported(std::string_view what) const {
    return fail(Code::unsupported, "{}: at byte {} of the regular expression: {}; rewrite it without", where_, at_, what);
  }

  char32_t peek() const { return at_ < text_.size() ? utf8::decode(text_.substr(at_)).code_point : end_of_text; }
  char32_t next() {
    if (at_ >= text_.size()) return end_of_text;
    const utf8::Decoded c = utf8::decode(text_.substr(at_));
    at_ += static_cast<std::size_t>(c.bytes);
    return c.code_point;
  }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  // Every node becomes an automaton state at least: what has too many ends early.
  Id add(RegexNode node) {
    if (regex_.nodes.size() > static_cast<std::size_t>(limits_.states)) at_ = text_.size(), too_many_ = true;
    regex_.nodes.push_back(std::move(node));
    return static_cast<Id>(regex_.nodes.size() - 1);
  }
  Id add_characters(std::vector<CharRange> ranges) { return add({RegexNode::Kind::characters, std::move(ranges), {}, 0, 0}); }

  Result<Id> choice() {
    if (++depth_ > limits_.depth)
      return fail(Code::too_large, "{}: groups nested more than {} deep; flatten the regular expression", where_, limits_.depth);
    std::vector<Id> alternatives;
    do {
      QN_TRY(const Id one, sequence());
      alternatives.push_back(one);
    } while (take("|"));
    --depth_;
    if (alternatives.size() == 1) return alternatives[0];
    return add({RegexNode::Kind::choice, {}, std::move(alternatives), 0, 0});
  }

  Result<Id> sequence() {
    std::vector<Id> parts;
    while (peek() != end_of_text && peek() != '|' && peek() != ')') {
      QN_TRY(const Id part, quantified());
      parts.push_back(part);
    }
    if (parts.size() == 1) return parts[0];
    return add({RegexNode::Kind::sequence, {}, std::move(parts), 0, 0});
  }

  Result<Id> quantified() {
    QN_TRY(Id part, atom());
    int min = 0, max = 0;
    int quantifiers = 0;
    while (true) {
      QN_TRY(const bool found, quantifier(min, max));
      if (!found) return part;
      if (++quantifiers > 1) return unsupported("a quantifier behind a quantifier");
      const RegexNode::Kind kind = regex_.nodes[part].kind;
      if (kind == RegexNode::Kind::begin || kind == RegexNode::Kind::end)
        return bad("a quantifier has nothing to repeat; write \\ before it for the character");
      if (peek() == '+') return unsupported("a possessive quantifier");
      take("?");  // lazy: the same texts
      part = add({RegexNode::Kind::repeat, {}, {part}, min, max});
    }
  }

  Result<bool> quantifier(int& min, int& max) {
    if (take("*")) return min = 0, max = -1, true;
    if (take("+")) return min = 1, max = -1, true;
    if (take("?")) return min = 0, max = 1, true;
    if (peek() != '{') return false;
    const std::size_t back = at_;
    take("{");
    const auto lower = number();
    std::optional<std::int64_t> upper = lower;
    if (take(",")) upper = is_digit(peek()) ? number() : std::optional<std::int64_t>(-1);
    if (!lower || !upper || !take("}")) return at_ = back, false;  // a { that stands for itself
    if (*lower > limits_.repetition || *upper > limits_.repetition)
      return fail(Code::too_large,
                  "{}: at byte {} of the regular expression: {} repetitions, at most {} accepted; leave the bound out, or lower it", where_,
                  back, std::max(*lower, *upper), limits_.repetition);
    if (*upper >= 0 && *upper < *lower) return bad("a quantifier from {} to {}; nothing is both", *lower, *upper);
    min = static_cast<int>(*lower), max = static_cast<int>(*upper);
    return true;
  }

  std::optional<std::int64_t> number() {
    if (!is_digit(peek())) return {};
    std::int64_t value = 0;
    while (is_digit(peek())) value = std::min<std::int64_t>(value * 10 + static_cast<std::int64_t>(next() - '0'), 1'000'000'000);
    return value;
  }

  Result<Id> atom() {
    switch (peek()) {
      case '(': return group();
      case '[': return bracket();
      case '.': {
        next();
        static constexpr CharRange line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
        return add_characters(complement(line_ends));
      }
      case '^': return next(), add({RegexNode::Kind::begin, {}, {}, 0, 0});
      case '$': return next(), add({RegexNode::Kind::end, {}, {}, 0, 0});
      case '*':
      case '+':
      case '?': return bad("a quantifier has nothing to repeat; write \\ before it for the character");
      case '\\': {
        QN_TRY(std::vector<CharRange> ranges, escape(Place::outside));
        if (ranges.size() == 1 && ranges[0].first > 0x10FFFF)
          return add({ranges[0].last == 'A' ? RegexNode::Kind::begin : RegexNode::Kind::end, {}, {}, 0, 0});
        return add_characters(std::move(ranges));
      }
      default: {
        const char32_t c = next();
        return add_characters({{c, c}});
      }
    }
  }

  Result<Id> group() {
    take("(");
    if (take("?")) {
      if (take("=") || take("!")) return unsupported("looking ahead");
      if (take("<=") || take("<!")) return unsupported("looking behind");
      if (take(">")) return unsupported("an atomic group");
      if (take("<") || take("P<")) {
        while (peek() != '>' && peek() != end_of_text) next();
        if (!take(">")) return bad("the name of a group does not end; close it with >");
      } else if (!take(":")) {
        return unsupported("a flag or another form of group");
      }
    }
    QN_TRY(const Id inner, choice());
    if (!take(")")) return bad("a ( is not closed; write \\( for the character");
    // Its own node, so that a quantifier behind the group is not one behind a quantifier.
    return inner;
  }

  enum class Place { outside, in_brackets };

  // The characters that an escape stands for; \A and \z of Python and RE2 as a range past all characters.
  Result<std::vector<CharRange>> escape(Place place) {
    take("\\");
    if (peek() == end_of_text) return bad("a \\ ends it; write \\\\ for the character");
    const char32_t c = next();
    const auto one = [](char32_t character) { return std::vector<CharRange>{{character, character}}; };
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 's':
      case 'S': return class_of_letter(static_cast<char>(c));
      case 't': return one('\t');
      case 'n': return one('\n');
      case 'r': return one('\r');
      case 'f': return one('\f');
      case 'v': return one('\v');
      case 'a': return one('\a');
      case '0': return one(0);
      case 'x': return hex_escape(2);
      case 'u': return take("{") ? braced_escape() : hex_escape(4);
      case 'p':
      case 'P': return property(c == 'P');
      case 'b':
        if (place == Place::in_brackets) return one('\b');
        return unsupported("a word boundary");
      case 'B': return unsupported("a word boundary");
      case 'A':
        if (place == Place::outside) return std::vector<CharRange>{{end_of_text, 'A'}};
        break;
      case 'z':
      case 'Z':
        if (place == Place::outside) return std::vector<CharRange>{{end_of_text, 'z'}};
        break;
      case 'k': return unsupported("a reference to a group");
      case 'c': {
        const char32_t letter = next();
        if ((letter | 0x20) < 'a' || (letter | 0x20) > 'z' || letter > 0x7F) return bad("\\c without a letter");
        return one(letter & 0x1F);
      }
      default: break;
    }
    if (is_digit(c)) return unsupported("a reference to a group");
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80) return bad("\\{} is no escape", static_cast<char>(c));
    return one(c);
  }

  Result<char32_t> hex_digits(int count) {
    char32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0) return bad("an escape needs {} hexadecimal digits", count);
      next();
      value = value * 16 + static_cast<char32_t>(digit);
    }
    return value;
  }

  Result<std::vector<CharRange>> hex_escape(int count) {
    QN_TRY(char32_t value, hex_digits(count));
    if (value >= 0xD800 && value < 0xDC00 && take("\\u")) {
      QN_TRY(const char32_t low, hex_digits(4));
      if (low < 0xDC00 || low > 0xDFFF) return bad("half a surrogate pair; write both, or \\u{{...}}");
      value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    }
    if (value >= 0xD800 && value < 0xE000) return bad("half a surrogate pair; write both, or \\u{{...}}");
    return std::vector<CharRange>{{value, value}};
  }

  Result<std::vector<CharRange>> braced_escape() {
    char32_t value = 0;
    int digits = 0;
    for (; hex_value(peek()) >= 0; ++digits) value = std::min<char32_t>(value * 16 + static_cast<char32_t>(hex_value(next())), 0x110000);
    if (digits == 0 || !take("}") || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      return bad("\\u{{...}} needs a code point in hexadecimal");
    return std::vector<CharRange>{{value, value}};
  }

  Result<std::vector<CharRange>> property(bool negated) {
    std::string name;
    if (take("{")) {
      while (peek() != '}' && peek() != end_of_text) utf8::append(name, next());
      if (!take("}")) return bad("\\p{{...}} is not closed");
    } else {
      utf8::append(name, next());
    }
    if (name.starts_with("^")) negated = !negated, name.erase(0, 1);
    for (const std::string_view prefix : {"General_Category=", "gc="})
      if (name.starts_with(prefix)) name.erase(0, prefix.size());
    std::vector<CharRange> ranges = class_of_category(name);
    if (ranges.empty()) return unsupported("the property " + quoted(name) + " (general categories such as L, Lu, Nd are known)");
    return negated ? complement(ranges) : ranges;
  }

  Result<Id> bracket() {
    take("[");
    const bool negated = take("^");
    std::vector<CharRange> ranges;
    bool first = true;
    while (first || peek() != ']') {
      if (peek() == end_of_text) return bad("a [ is not closed; write \\[ for the character");
      if (first && peek() == ']')
        return bad("[] is an empty class to some and the beginning of one to others; write \\] for the character");
      first = false;
      QN_TRY(const std::vector<CharRange> low, bracket_item());
      const bool single = low.size() == 1 && low[0].first == low[0].last;
      if (single && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        take("-");
        QN_TRY(const std::vector<CharRange> high, bracket_item());
        if (high.size() != 1 || high[0].first != high[0].last) return bad("a range up to a class; write \\- for the character");
        if (high[0].first < low[0].first) return bad("a range whose end comes before its beginning");
        ranges.push_back({low[0].first, high[0].first});
      } else {
        ranges.insert(ranges.end(), low.begin(), low.end());
      }
    }
    take("]");
    return add_characters(negated ? complement(ranges) : normalized(ranges));
  }

  Result<std::vector<CharRange>> bracket_item() {
    if (peek() == '\\') return escape(Place::in_brackets);
    if (peek() == end_of_text) return bad("a [ is not closed; write \\[ for the character");
    const char32_t c = next();
    return std::vector<CharRange>{{c, c}};
  }

  std::string_view text_;
  const std::string& where_;
  const GrammarLimits& limits_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool too_many_ = false;
  Regex regex_;
};

}  // namespace

Result<Regex> parse_regex(std::string_view pattern, const std::string& where, const GrammarLimits& limits) {
  return Parser(pattern, where, limits).parse();
}

}  // namespace qn::text::grammar
