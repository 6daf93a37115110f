// GBNF as llama.cpp reads it: `name ::= alternatives`, "text", [classes], . ( ) * + ? {m,n}, # comments. Of the extensions, references to
// tokens are refused: a grammar is over text here, whatever tokens it is cut into.
#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "text/grammar/builder_parts.h"

namespace qn::text {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class GbnfParser {
 public:
  GbnfParser(std::string_view source, std::string_view where, const GrammarLimits& limits, GrammarBuilder& builder)
      : text_(source), where_(where), limits_(limits), builder_(builder) {}

  Result<RuleId> parse() {
    if (text_.size() > limits_.source_bytes)
      return fail(Code::too_large, "{}: grammar of {} bytes, at most {} accepted; shorten it", where_, text_.size(), limits_.source_bytes);
    if (!utf8::is_valid(text_)) return fail(Code::bad_input, "{}: grammar is not UTF-8; send text", where_);
    for (space(Newlines::too); at_ < text_.size(); space(Newlines::too)) QN_OK(rule());
    for (const auto& [name, known] : rules_)
      if (!known.defined)
        return fail(Code::bad_input, "{}: rule {} is used in line {} but not defined; define it", where_, quoted(name), known.line);
    const auto root = rules_.find("root");
    if (root == rules_.end()) return fail(Code::bad_input, "{}: there is no rule root; name the rule to begin with root", where_);
    return root->second.id;
  }

 private:
  enum class Newlines { too, not_here };
  struct Known {
    RuleId id;
    bool defined;
    std::size_t line;  // of its first use
  };

  // Counted on from the last question: the text is walked over once.
  std::size_t line() const {
    for (; line_at_ < at_ && line_at_ < text_.size(); ++line_at_) line_ += text_[line_at_] == '\n' ? 1 : 0;
    return line_;
  }

  template <class... Args>
  tl::unexpected<Error> bad(fmt::format_string<Args...> text, Args&&... args) const {
    return fail(Code::bad_input, "{}: line {}: {}", where_, line(), fmt::format(text, std::forward<Args>(args)...));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  void space(Newlines newlines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
      } else if (c == ' ' || c == '\t' || (newlines == Newlines::too && (c == '\n' || c == '\r'))) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string_view name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Known& known(std::string_view name) {
    const auto at = rules_.find(name);
    if (at != rules_.end()) return at->second;
    return rules_.emplace(name, Known{builder_.declare(name), false, line()}).first->second;
  }

  Status rule() {
    const std::string_view rule_name = name();
    if (rule_name.empty()) return bad("expected the name of a rule, found {}; a rule is written name ::= \"text\"", found());
    space(Newlines::not_here);
    if (!take("::=")) return bad("expected ::= behind {}, found {}", quoted(rule_name), found());
    if (known(rule_name).defined) return bad("rule {} is defined twice; join them with |", quoted(rule_name));
    known(rule_name).defined = true;
    const RuleId id = known(rule_name).id;
    space(Newlines::too);
    QN_TRY(const RuleId body, choice(Newlines::not_here));
    builder_.define(id, body);
    if (at_ < text_.size() && peek() != '\n' && peek() != '\r')
      return bad("expected the end of rule {}, found {}", quoted(rule_name), found());
    return {};
  }

  std::string found() const {
    return at_ < text_.size() ? quoted(text_.substr(at_, static_cast<std::size_t>(utf8::decode(text_.substr(at_)).bytes))) : "the end";
  }

  Result<RuleId> choice(Newlines newlines) {
    if (++depth_ > limits_.depth)
      return fail(Code::too_large, "{}: line {}: groups nested more than {} deep; give the inner ones names", where_, line(),
                  limits_.depth);
    std::vector<RuleId> alternatives;
    do {
      space(alternatives.empty() ? newlines : Newlines::too);
      QN_TRY(const RuleId one, sequence(newlines));
      alternatives.push_back(one);
    } while (take("|"));
    --depth_;
    return builder_.choice(alternatives);
  }

  Result<RuleId> sequence(Newlines newlines) {
    std::vector<RuleId> parts;
    for (;; space(newlines)) {
      const char c = peek();
      if (c == '"' || c == '[' || c == '.' || c == '(' || (is_word(c) && at_ < text_.size())) {
        QN_TRY(RuleId part, item());
        QN_TRY(part, quantified(part, newlines));
        parts.push_back(part);
      } else if (c == '<' || c == '!') {
        return fail(Code::unsupported, "{}: line {}: a reference to a token; write the token's text as \"text\"", where_, line());
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        return bad("{} has nothing to repeat; put it behind an item", c);
      } else {
        return builder_.sequence(parts);
      }
    }
  }

  Result<RuleId> item() {
    switch (peek()) {
      case '"': return literal();
      case '[': return bracket();
      case '.': {
        ++at_;
        return builder_.character_not_in({});
      }
      case '(': {
        ++at_;
        space(Newlines::too);
        QN_TRY(const RuleId inner, choice(Newlines::too));
        if (!take(")")) return bad("expected ), found {}", found());
        return inner;
      }
      default: return known(name()).id;
    }
  }

  Result<RuleId> quantified(RuleId part, Newlines newlines) {
    for (int quantifiers = 0;; ++quantifiers) {
      space(newlines);
      std::int64_t min = 0, max = -1;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (take("{")) {
        QN_OK(bounds(min, max));
      } else {
        return part;
      }
      if (quantifiers >= limits_.depth) return bad("more than {} quantifiers on one item; keep one", limits_.depth);
      if (std::max(min, max) > limits_.repetition)
        return fail(Code::too_large, "{}: line {}: {} repetitions, at most {} accepted; leave the bound out, or lower it", where_, line(),
                    std::max(min, max), limits_.repetition);
      part = builder_.repeat(part, static_cast<int>(min), max < 0 ? std::optional<int>() : std::optional<int>(static_cast<int>(max)));
    }
  }

  Status bounds(std::int64_t& min, std::int64_t& max) {
    space(Newlines::too);
    const bool lower = is_digit(peek());
    min = lower ? number() : 0;
    max = min;
    space(Newlines::too);
    if (take(",")) {
      space(Newlines::too);
      max = is_digit(peek()) ? number() : -1;
      space(Newlines::too);
    } else if (!lower) {
      return bad("expected a number in {{ }}, found {}", found());
    }
    if (!take("}")) return bad("expected }}, found {}", found());
    if (max >= 0 && max < min) return bad("{{{},{}}}: nothing is both; swap the bounds", min, max);
    return {};
  }

  std::int64_t number() {
    std::int64_t value = 0;
    for (; is_digit(peek()); ++at_) value = std::min<std::int64_t>(value * 10 + (peek() - '0'), 1'000'000'000);
    return value;
  }

  Result<RuleId> literal() {
    ++at_;
    std::string bytes;
    while (peek() != '"') {
      QN_TRY(const char32_t c, character());
      utf8::append(bytes, c);
    }
    ++at_;
    return builder_.literal(bytes);
  }

  Result<RuleId> bracket() {
    ++at_;
    const bool negated = take("^");
    std::vector<CharRange> ranges;
    while (peek() != ']' || at_ >= text_.size()) {
      QN_TRY(const char32_t first, character());
      char32_t last = first;
      if (peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        ++at_;
        QN_TRY(last, character());
      }
      if (last < first) return bad("a range whose end comes before its beginning; swap them");
      ranges.push_back({first, last});
    }
    ++at_;
    return negated ? builder_.character_not_in(ranges) : builder_.characters(ranges);
  }

  // One character of a literal or a class, escapes read.
  Result<char32_t> character() {
    if (at_ >= text_.size()) return bad("a \" or [ is not closed");
    if (peek() == '\n' || peek() == '\r') return bad("a \" or [ is not closed before the end of the line; write \\n for the character");
    if (peek() != '\\') {
      const utf8::Decoded c = utf8::decode(text_.substr(at_));
      at_ += static_cast<std::size_t>(c.bytes);
      return c.code_point;
    }
    ++at_;
    const char c = peek();
    if (at_ < text_.size()) ++at_;
    switch (c) {
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
      case '.': return static_cast<char32_t>(c);
      case 'x': return hex(2);
      case 'u': return hex(4);
      case 'U': return hex(8);
      default:
        return bad("\\{} is no escape; known are \\n \\r \\t \\\\ \\\" \\[ \\] \\xHH \\uHHHH \\UHHHHHHHH", c >= ' ' && c < 0x7F ? c : '?');
    }
  }

  Result<char32_t> hex(int digits) {
    std::uint64_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const int digit = hex_value(peek());
      if (digit < 0) return bad("an escape needs {} hexadecimal digits", digits);
      value = value * 16 + static_cast<std::uint64_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
      return bad("an escape of no character; code points end at 10FFFF, and surrogates are none");
    return static_cast<char32_t>(value);
  }

  std::string_view text_;
  std::string_view where_;
  const GrammarLimits& limits_;
  GrammarBuilder& builder_;
  std::size_t at_ = 0;
  int depth_ = 0;
  mutable std::size_t line_ = 1, line_at_ = 0;
  std::map<std::string, Known, std::less<>> rules_;
};

}  // namespace

Result<RuleId> GrammarBuilder::gbnf(std::string_view source, std::string_view where) {
  QN_TRY(const RuleId root, GbnfParser(source, where, parts_->limits, *this).parse());
  if (parts_->fault) return tl::unexpected<Error>(*parts_->fault);
  return root;
}

}  // namespace qn::text
