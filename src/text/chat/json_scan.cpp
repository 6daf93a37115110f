#include "text/chat/json_scan.h"

namespace qn::text {
namespace {

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool is_hex(char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

}  // namespace

bool is_json_space(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

void escape_into(std::string& out, char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto code = static_cast<unsigned char>(byte);
  if (code >= 0x20) {
    out += byte;
    return;
  }
  out += "\\u00";
  out += digits[code >> 4];
  out += digits[code & 15];
}

std::string quoted_json(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) escape_into(out, byte);
  return out + '"';
}

Took JsonScan::feed(char byte) {
  switch (mode_) {
    case Mode::string:
      if (byte == '"') {
        if (!string_is_key_) return end_value();
        mode_ = Mode::colon;
      } else if (byte == '\\') {
        mode_ = Mode::escape;
      }
      return Took::part;
    case Mode::escape:
      if (byte == 'u') {
        mode_ = Mode::hex;
        hex_left_ = 4;
        return Took::part;
      }
      mode_ = Mode::string;
      return std::string_view("\"\\/bfnrt").find(byte) == std::string_view::npos ? Took::bad : Took::part;
    case Mode::hex:
      if (!is_hex(byte)) return Took::bad;
      if (--hex_left_ == 0) mode_ = Mode::string;
      return Took::part;
    case Mode::literal:
      if (byte != literal_left_.front()) return Took::bad;
      literal_left_.remove_prefix(1);
      return literal_left_.empty() ? end_value() : Took::part;
    case Mode::over: return Took::after;
    case Mode::value:
    case Mode::value_or_end:
    case Mode::key_or_end:
    case Mode::key:
    case Mode::colon:
    case Mode::comma_or_end: break;
    default: return number(byte);
  }
  if (is_json_space(byte)) return Took::part;
  switch (mode_) {
    case Mode::value: return begin_value(byte);
    case Mode::value_or_end: return byte == ']' ? close(byte) : begin_value(byte);
    case Mode::key_or_end:
      if (byte == '}') return close(byte);
      [[fallthrough]];
    case Mode::key:
      if (byte != '"') return Took::bad;
      mode_ = Mode::string;
      string_is_key_ = true;
      return Took::part;
    case Mode::colon:
      if (byte != ':') return Took::bad;
      mode_ = Mode::value;
      return Took::part;
    default: break;  // comma_or_end
  }
  if (byte != ',') return close(byte);
  mode_ = open_.back() == '{' ? Mode::key : Mode::value;
  return Took::part;
}

Took JsonScan::begin_value(char byte) {
  if (byte == '{' || byte == '[') {
    if (open_.size() >= max_depth) return Took::bad;
    open_ += byte;
    mode_ = byte == '{' ? Mode::key_or_end : Mode::value_or_end;
  } else if (byte == '"') {
    mode_ = Mode::string;
    string_is_key_ = false;
  } else if (byte == 't' || byte == 'f' || byte == 'n') {
    mode_ = Mode::literal;
    literal_left_ = byte == 't' ? "rue" : byte == 'f' ? "alse" : "ull";
  } else if (byte == '-') {
    mode_ = Mode::minus;
  } else if (is_digit(byte)) {
    mode_ = byte == '0' ? Mode::zero : Mode::whole;
  } else {
    return Took::bad;
  }
  return Took::part;
}

Took JsonScan::end_value() {
  mode_ = open_.empty() ? Mode::over : Mode::comma_or_end;
  return open_.empty() ? Took::last : Took::part;
}

Took JsonScan::close(char byte) {
  if (open_.empty() || byte != (open_.back() == '{' ? '}' : ']')) return Took::bad;
  open_.pop_back();
  return end_value();
}

bool JsonScan::number_may_end() const {
  return mode_ == Mode::zero || mode_ == Mode::whole || mode_ == Mode::fraction || mode_ == Mode::exponent_digits;
}

Took JsonScan::number(char byte) {
  const auto go = [this](Mode mode) {
    mode_ = mode;
    return Took::part;
  };
  if (is_digit(byte)) {
    switch (mode_) {
      case Mode::minus: return go(byte == '0' ? Mode::zero : Mode::whole);
      case Mode::zero: return Took::bad;
      case Mode::whole:
      case Mode::fraction:
      case Mode::exponent_digits: return Took::part;
      case Mode::point: return go(Mode::fraction);
      default: return go(Mode::exponent_digits);
    }
  }
  if (byte == '.' && (mode_ == Mode::zero || mode_ == Mode::whole)) return go(Mode::point);
  if ((byte == 'e' || byte == 'E') && number_may_end() && mode_ != Mode::exponent_digits) return go(Mode::exponent);
  if ((byte == '+' || byte == '-') && mode_ == Mode::exponent) return go(Mode::exponent_sign);
  if (!number_may_end()) return Took::bad;
  if (end_value() == Took::last) return Took::after;
  return feed(byte);
}

}  // namespace qn::text
