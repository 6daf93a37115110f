#include "base/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/utf8.h"

namespace qn::json {
namespace {

using boost::json::error_code;

// Builds a value from parse events. Numbers come as text, so that they are read by from_chars and not by Boost 1.81.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  Builder() { stack_.reset(); }
  Value release() { return stack_.release(); }
  const std::string& duplicate_key() const { return duplicate_key_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, error_code& ec) {
    std::vector<std::string> keys = std::move(keys_.back());
    keys_.pop_back();
    std::sort(keys.begin(), keys.end());
    if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
      duplicate_key_ = *twice;
      ec = boost::json::error::syntax;
      return false;
    }
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    key_ += part;
    stack_.push_chars(part);
    return true;
  }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    keys_.back().push_back(key_ += part);
    key_.clear();
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t, error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(std::string_view part, error_code&) {
    number_ += part;
    return true;
  }
  bool on_int64(std::int64_t value, std::string_view, error_code&) {
    number_.clear();
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, std::string_view, error_code&) {
    number_.clear();
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double rough, std::string_view part, error_code& ec) {
    number_ += part;
    double value = rough;
    const auto [end, error] = std::from_chars(number_.data(), number_.data() + number_.size(), value);
    if (error == std::errc::result_out_of_range) value = std::fabs(rough) > 1 ? rough : 0.0;
    number_.clear();
    if (!std::isfinite(value)) {
      ec = boost::json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(value);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  boost::json::value_stack stack_;
  std::vector<std::vector<std::string>> keys_;  // of the objects that are open
  std::string key_, number_, duplicate_key_;
};

void print_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void print_to(std::string& out, const Value& value, Style style) {
  const std::string_view comma = style == Style::python ? ", " : ",";
  const std::string_view colon = style == Style::python ? ": " : ":";
  switch (value.kind()) {
    case boost::json::kind::null: out += "null"; break;
    case boost::json::kind::bool_: out += value.get_bool() ? "true" : "false"; break;
    case boost::json::kind::int64: out += fmt::format("{}", value.get_int64()); break;
    case boost::json::kind::uint64: out += fmt::format("{}", value.get_uint64()); break;
    case boost::json::kind::double_: out += print_number(value.get_double()); break;
    case boost::json::kind::string: print_string(out, {value.get_string().data(), value.get_string().size()}); break;
    case boost::json::kind::array: {
      out += '[';
      std::string_view separator = "";
      for (const Value& element : value.get_array()) {
        out += separator;
        separator = comma;
        print_to(out, element, style);
      }
      out += ']';
      break;
    }
    case boost::json::kind::object: {
      out += '{';
      std::string_view separator = "";
      for (const auto& member : value.get_object()) {
        out += separator;
        separator = comma;
        print_string(out, {member.key().data(), member.key().size()});
        out += colon;
        print_to(out, member.value(), style);
      }
      out += '}';
      break;
    }
  }
}

}  // namespace

Result<Value> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) return fail(Code::too_large, "JSON: {} bytes, at most {} accepted; send less", text.size(), limits.bytes);
  boost::json::parse_options options;
  options.max_depth = static_cast<std::size_t>(limits.depth);
  boost::json::basic_parser<Builder> parser(options);
  error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (ec && !parser.handler().duplicate_key().empty())
    return fail(Code::bad_input, "JSON: key {} appears twice in one object, which ends at byte {}; remove one",
                quoted(parser.handler().duplicate_key()), consumed);
  if (ec == boost::json::error::too_deep)
    return fail(Code::bad_input, "JSON: byte {}: nested more than {} deep; flatten it", consumed, limits.depth);
  if (ec) return fail(Code::bad_input, "JSON: byte {}: {}; check the text there", consumed, ec.message());
  const std::size_t rest = text.find_first_not_of(" \t\r\n", consumed);
  if (rest != std::string_view::npos) return fail(Code::bad_input, "JSON: byte {}: text after the value; remove it", rest);
  return parser.handler().release();
}

std::string print(const Value& value, Style style) {
  std::string out;
  print_to(out, value, style);
  return out;
}

std::string print_number(double value) {
  // Python's repr: positional from 1e-4 up to 1e16, scientific beyond, and always recognisable as a float.
  const double size = std::fabs(value);
  char buffer[64];
  const bool positional = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end = positional ? std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr
                              : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string out(buffer, end);
  if (positional && out.find('.') == std::string::npos) out += ".0";
  return out;
}

}  // namespace qn::json
