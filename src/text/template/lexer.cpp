#include "text/template/lexer.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

std::size_t space_run(std::string_view text) {
  return text.size() - strip(text, Side::left).size();
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_digit_of(char c, int base) {
  const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
  return value < base;
}

int digit_value(char c) {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

// Length of digits(_digits)* at the start of text.
std::size_t digit_run(std::string_view text, int base) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_digit_of(text[at], base)) {
      ++at;
    } else if (text[at] == '_' && at > 0 && at + 1 < text.size() && is_digit_of(text[at + 1], base)) {
      at += 2;
    } else {
      break;
    }
  }
  return at;
}

// The tag `{% word %}` at the start of text, with any white-space marks: its length, or 0.
struct WordTag {
  std::size_t bytes = 0;
  char mark = 0;  // '-', '+' or 0, at its beginning
};

WordTag word_tag(std::string_view text, std::string_view word) {
  if (!starts_with(text, "{%")) return {};
  WordTag out;
  std::size_t at = 2;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) out.mark = text[at++];
  at += space_run(text.substr(at));
  if (!starts_with(text.substr(at), word)) return {};
  at += word.size();
  at += space_run(text.substr(at));
  const std::string_view tail = text.substr(at);
  const bool ends_raw = word == "endraw";
  if (starts_with(tail, "-%}")) {
    at += 3;
    at += space_run(text.substr(at));
  } else if (ends_raw && starts_with(tail, "+%}")) {
    at += 3;
  } else if (starts_with(tail, "%}")) {
    at += 2;
    if (ends_raw && at < text.size() && text[at] == '\n') ++at;  // trim_blocks
  } else {
    return {};
  }
  out.bytes = at;
  return out;
}

// Text before a tag: white space goes if the tag says '-', and on a line of its own unless it says '+' (lstrip_blocks).
std::string_view trim_before_tag(std::string_view text, char mark, bool is_print, bool line_starting) {
  if (mark == '-') return strip(text, Side::right);
  if (mark == '+' || is_print) return text;
  const std::size_t newline = text.rfind('\n');
  const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
  if (line_begin == 0 && !line_starting) return text;
  return strip(text.substr(line_begin), Side::left).empty() ? text.substr(0, line_begin) : text;
}

Status unescape(std::string_view raw, std::int32_t line, std::string& out) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 >= raw.size()) {
      out += raw[i];
      continue;
    }
    const char c = raw[++i];
    int hex_digits = 0;
    switch (c) {
      case '\n': continue;
      case '\\': out += '\\'; continue;
      case '\'': out += '\''; continue;
      case '"': out += '"'; continue;
      case 'a': out += '\a'; continue;
      case 'b': out += '\b'; continue;
      case 'f': out += '\f'; continue;
      case 'n': out += '\n'; continue;
      case 'r': out += '\r'; continue;
      case 't': out += '\t'; continue;
      case 'v': out += '\v'; continue;
      case 'x': hex_digits = 2; break;
      case 'u': hex_digits = 4; break;
      case 'U': hex_digits = 8; break;
      case 'N': return fail(Code::unsupported, "line {}: \\N{{…}} in a string; write the character itself", line);
      default: break;
    }
    if (c >= '0' && c <= '7') {
      char32_t value = 0;
      std::size_t end = i;
      for (; end < raw.size() && end < i + 3 && raw[end] >= '0' && raw[end] <= '7'; ++end)
        value = value * 8 + static_cast<char32_t>(raw[end] - '0');
      utf8::append(out, value);
      i = end - 1;
    } else if (hex_digits > 0) {
      char32_t value = 0;
      for (int digit = 0; digit < hex_digits; ++digit) {
        if (++i >= raw.size() || !is_digit_of(raw[i], 16))
          return fail(Code::bad_input, "line {}: \\{} in a string needs {} hexadecimal digits", line, c, hex_digits);
        value = value * 16 + static_cast<char32_t>(digit_value(raw[i]));
      }
      if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return fail(Code::bad_input, "line {}: \\{} in a string names no character; use one below U+D800 or up to U+10FFFF", line, c);
      utf8::append(out, value);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // Python's own detour through ASCII: a backslash before 中 gives the six characters \u4e2d.
      const char32_t code_point = utf8::decode(raw.substr(i)).code_point;
      out += code_point < 0x100     ? fmt::format("\\x{:02x}", static_cast<unsigned>(code_point))
             : code_point < 0x10000 ? fmt::format("\\u{:04x}", static_cast<unsigned>(code_point))
                                    : fmt::format("\\U{:08x}", static_cast<unsigned>(code_point));
      i += static_cast<std::size_t>(utf8::decode(raw.substr(i)).bytes) - 1;
    } else {
      out += '\\';
      out += c;
    }
  }
  return {};
}

}  // namespace

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end: return "the end of the template";
    case TokenKind::data: return "text";
    case TokenKind::print_begin: return "'{{'";
    case TokenKind::print_end: return "'}}'";
    case TokenKind::block_begin: return "'{%'";
    case TokenKind::block_end: return "'%}'";
    case TokenKind::integer:
    case TokenKind::real: return "a number";
    case TokenKind::string: return "a string";
    case TokenKind::name:
    case TokenKind::op: return quoted(token.text);
  }
  return "nothing";
}

std::string Lexer::normalize(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();  // keep_trailing_newline is off
  return out;
}

void Lexer::consume(std::size_t bytes) {
  const std::string_view taken = source_.substr(at_, bytes);
  line_ += static_cast<std::int32_t>(std::count(taken.begin(), taken.end(), '\n'));
  if (!taken.empty()) line_starting_ = taken.back() == '\n';
  at_ += taken.size();
}

Status Lexer::advance() {
  if (has_ahead_) {
    current_ = std::move(ahead_);
    has_ahead_ = false;
    return {};
  }
  return read(current_);
}

Result<const Token*> Lexer::peek() {
  if (!has_ahead_) {
    QN_OK(read(ahead_));
    has_ahead_ = true;
  }
  return &ahead_;
}

Status Lexer::read(Token& out) {
  bool made = false;
  while (!made) {
    out = Token{};
    out.line = line_;
    if (state_ == State::root) {
      QN_OK(read_root(out, made));
    } else {
      QN_OK(read_tag(out, made));
    }
  }
  return {};
}

Status Lexer::read_root(Token& out, bool& made) {
  if (at_ >= source_.size()) {
    made = true;
    return {};
  }
  std::size_t tag = at_;
  for (;; ++tag) {
    tag = source_.find('{', tag);
    if (tag == std::string_view::npos || tag + 1 >= source_.size()) {
      tag = std::string_view::npos;
      break;
    }
    const char next = source_[tag + 1];
    if (next == '{' || next == '%' || next == '#') break;
  }
  if (tag == std::string_view::npos) {
    out.kind = TokenKind::data;
    out.text = rest();
    consume(rest().size());
    made = true;
    return {};
  }
  const char type = source_[tag + 1];
  const WordTag raw = type == '%' ? word_tag(source_.substr(tag), "raw") : WordTag{};
  char mark = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
  if (mark != '-' && mark != '+') mark = 0;
  const std::string_view before = source_.substr(at_, tag - at_);
  const std::string_view kept = trim_before_tag(before, mark, type == '{', line_starting_);
  if (!kept.empty()) {
    // The tag itself is read by the next call: by then nothing lies before it.
    out.kind = TokenKind::data;
    out.text = kept;
    made = true;
    consume(before.size());
    line_starting_ = false;  // the trimming of this gap is done
    return {};
  }
  consume(before.size());
  out.line = line_;
  if (raw.bytes > 0) {
    made = true;
    return read_raw(out, raw.bytes);
  }
  consume(mark == 0 ? 2 : 3);
  if (type == '#') return skip_comment();
  out.kind = type == '{' ? TokenKind::print_begin : TokenKind::block_begin;
  state_ = type == '{' ? State::print : State::block;
  made = true;
  return {};
}

Status Lexer::read_raw(Token& out, std::size_t begin_tag_bytes) {
  const std::int32_t opened = line_;
  consume(begin_tag_bytes);
  for (std::size_t tag = at_;; ++tag) {
    tag = source_.find("{%", tag);
    if (tag == std::string_view::npos) return fail(Code::bad_input, "line {}: {{% raw %}} is never closed; add {{% endraw %}}", opened);
    const WordTag end = word_tag(source_.substr(tag), "endraw");
    if (end.bytes == 0) continue;
    out.kind = TokenKind::data;
    out.text = trim_before_tag(source_.substr(at_, tag - at_), end.mark, false, line_starting_);
    consume(tag - at_ + end.bytes);
    return {};
  }
}

Status Lexer::skip_comment() {
  const std::int32_t opened = line_;
  const std::size_t close = source_.find("#}", at_);
  if (close == std::string_view::npos) return fail(Code::bad_input, "line {}: comment is never closed; add '#}}'", opened);
  const char mark = close > at_ ? source_[close - 1] : '\0';
  std::size_t end = close + 2;
  if (mark == '-') {
    end += space_run(source_.substr(end));
  } else if (mark != '+' && end < source_.size() && source_[end] == '\n') {
    ++end;
  }
  consume(end - at_);
  return {};
}

bool Lexer::close_tag(Token& out) {
  const std::string_view text = rest();
  std::size_t bytes = 0;
  if (state_ == State::print) {
    if (starts_with(text, "-}}")) {
      bytes = 3 + space_run(text.substr(3));
    } else if (starts_with(text, "}}")) {
      bytes = 2;
    }
  } else if (starts_with(text, "+%}")) {
    bytes = 3;
  } else if (starts_with(text, "-%}")) {
    bytes = 3 + space_run(text.substr(3));
  } else if (starts_with(text, "%}")) {
    bytes = text.size() > 2 && text[2] == '\n' ? 3 : 2;
  }
  if (bytes == 0) return false;
  out.kind = state_ == State::print ? TokenKind::print_end : TokenKind::block_end;
  consume(bytes);
  state_ = State::root;
  return true;
}

Status Lexer::read_tag(Token& out, bool& made) {
  if (at_ >= source_.size()) {
    made = true;  // the parser says what is missing
    return {};
  }
  if (brackets_.empty() && close_tag(out)) {
    made = true;
    return {};
  }
  if (const std::size_t spaces = space_run(rest()); spaces > 0) {
    consume(spaces);
    return {};
  }
  made = true;
  const char c = source_[at_];
  if (c >= '0' && c <= '9') return read_number(out);
  if (c == '"' || c == '\'') return read_string(out);
  const utf8::Decoded first = utf8::decode(rest());
  if (first.valid && continues_identifier(first.code_point)) {
    std::size_t end = at_;
    while (end < source_.size()) {
      const utf8::Decoded next = utf8::decode(source_.substr(end));
      if (!next.valid || !continues_identifier(next.code_point)) break;
      end += static_cast<std::size_t>(next.bytes);
    }
    if (!starts_identifier(first.code_point))
      return fail(Code::bad_input, "line {}: {} is no name; names begin with a letter", line_, quoted(source_.substr(at_, end - at_)));
    out.kind = TokenKind::name;
    out.text = source_.substr(at_, end - at_);
    consume(end - at_);
    return {};
  }
  return read_operator(out);
}

Status Lexer::read_string(Token& out) {
  const char quote = source_[at_];
  std::size_t end = at_ + 1;
  while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
  if (end >= source_.size()) return fail(Code::bad_input, "line {}: string is never closed; add {}", line_, quote);
  out.kind = TokenKind::string;
  QN_OK(unescape(source_.substr(at_ + 1, end - at_ - 1), line_, out.text));
  consume(end + 1 - at_);
  return {};
}

Status Lexer::read_number(Token& out) {
  const std::string_view text = rest();
  const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
  const std::size_t whole = digit_run(text, 10);
  std::size_t end = whole;
  bool is_real = false;
  if (!after_dot) {
    if (end < text.size() && text[end] == '.') {
      if (const std::size_t fraction = digit_run(text.substr(end + 1), 10); fraction > 0) {
        end += 1 + fraction;
        is_real = true;
      }
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
      std::size_t digits = end + 1;
      if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
      if (const std::size_t exponent = digits < text.size() ? digit_run(text.substr(digits), 10) : 0; exponent > 0) {
        end = digits + exponent;
        is_real = true;
      }
    }
  }
  std::string digits;
  if (is_real) {
    for (const char c : text.substr(0, end))
      if (c != '_') digits += c;
    out.kind = TokenKind::real;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out.real);
    if (read.ec == std::errc::result_out_of_range)
      return fail(Code::bad_input, "line {}: number {} is out of range", line_, quoted(digits));
    consume(end);
    return {};
  }
  int base = 10;
  std::size_t begin = 0;
  if (text.size() > 2 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    const int other = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    const std::size_t lead = other != 0 && text[2] == '_' ? 3 : 2;
    if (other != 0 && lead < text.size() && is_digit_of(text[lead], other)) {
      base = other;
      begin = lead;
    }
  }
  end = begin + digit_run(text.substr(begin), base);
  if (base == 10 && text[0] == '0') {
    end = 1;
    while (end < text.size() && (text[end] == '0' || (text[end] == '_' && end + 1 < text.size() && text[end + 1] == '0'))) ++end;
  }
  out.kind = TokenKind::integer;
  for (const char c : text.substr(begin, end - begin)) {
    if (c == '_') continue;
    if (__builtin_mul_overflow(out.integer, static_cast<Int>(base), &out.integer) ||
        __builtin_add_overflow(out.integer, static_cast<Int>(digit_value(c)), &out.integer))
      return fail(Code::unsupported, "line {}: integer needs more than 127 bits; use a smaller one", line_);
  }
  consume(end);
  return {};
}

Status Lexer::read_operator(Token& out) {
  constexpr std::string_view doubles[] = {"//", "**", "==", "!=", ">=", "<="};
  constexpr std::string_view singles = "+-/*%~[](){}><=.:|,;";
  std::string_view sign;
  for (const std::string_view candidate : doubles)
    if (starts_with(rest(), candidate)) sign = candidate;
  if (sign.empty() && singles.find(source_[at_]) != std::string_view::npos) sign = rest().substr(0, 1);
  if (sign.empty())
    return fail(Code::bad_input, "line {}: unexpected character {}", line_,
                quoted(rest().substr(0, static_cast<std::size_t>(utf8::decode(rest()).bytes))));
  const char c = sign[0];
  if (c == '(') brackets_.push_back(')');
  if (c == '[') brackets_.push_back(']');
  if (c == '{') brackets_.push_back('}');
  if (c == ')' || c == ']' || c == '}') {
    if (brackets_.empty()) return fail(Code::bad_input, "line {}: unexpected '{}'; nothing is open", line_, c);
    if (brackets_.back() != c) return fail(Code::bad_input, "line {}: unexpected '{}'; '{}' is open", line_, c, brackets_.back());
    brackets_.pop_back();
  }
  out.kind = TokenKind::op;
  out.text = sign;
  consume(sign.size());
  return {};
}

}  // namespace qn::text::jinja
