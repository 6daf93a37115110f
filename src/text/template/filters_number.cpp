// Filters on numbers.
#include <charconv>
#include <cmath>

#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/format.h"
#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {

// Text without underscores between digits; none where Python refuses one.
static std::optional<std::string> without_underscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_alnum = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (i == 0 || i + 1 >= text.size() || !is_alnum(text[i - 1]) || !is_alnum(text[i + 1])) return std::nullopt;
  }
  return out;
}

Result<std::optional<Int>> read_integer(std::string_view text, int base) {
  text = strip(text, Side::both);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.size() > 2 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    const int named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named != 0 && (base == named || base == 0)) {
      text.remove_prefix(text[2] == '_' ? 3 : 2);
      base = named;
    }
  }
  const bool detect = base == 0;
  if (detect) base = 10;
  const std::optional<std::string> digits = without_underscores(text);
  if (!digits || digits->empty()) return std::optional<Int>{};
  if (detect && (*digits)[0] == '0' && digits->find_first_not_of('0') != std::string::npos) return std::optional<Int>{};
  Int out = 0;
  bool too_large = false;
  for (const char c : *digits) {
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
    if (value >= base) return std::optional<Int>{};
    too_large = too_large || __builtin_mul_overflow(out, static_cast<Int>(base), &out) ||
                __builtin_add_overflow(out, static_cast<Int>(value), &out);
  }
  if (too_large) return type_error("integer needs more than 127 bits; use a smaller one");
  return std::optional<Int>(negative ? -out : out);
}

std::optional<double> read_real(std::string_view text) {
  text = strip(text, Side::both);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const std::optional<std::string> clean = without_underscores(text);
  if (!clean || clean->empty()) return std::nullopt;
  const std::string lower = to_lower(*clean);
  double out = 0;
  if (lower == "inf" || lower == "infinity") {
    out = INFINITY;
  } else if (lower == "nan") {
    out = NAN;
  } else {
    if (lower.find_first_not_of("0123456789.e+-") != std::string::npos || lower[0] == '-' || lower[0] == '+') return std::nullopt;
    const auto read = std::from_chars(lower.data(), lower.data() + lower.size(), out);
    if (read.ptr != lower.data() + lower.size() || read.ec == std::errc::invalid_argument) return std::nullopt;
    if (read.ec == std::errc::result_out_of_range) {
      const std::size_t exponent = lower.find('e');
      out = exponent != std::string::npos && lower[exponent + 1] == '-' ? 0.0 : INFINITY;
    }
  }
  return negative ? -out : out;
}

namespace {

Result<Value> abs(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("abs", arguments, {}, 0));
  if (subject.is(Kind::real)) return Value::of(std::fabs(subject.real()));
  if (!subject.is_whole()) return type_error("abs of {}; it takes a number", type_name(subject));
  if (subject.integer() < 0) return negate(machine, subject);
  return Value::of(subject.integer());
}

Result<Value> to_int(Machine&, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("int", arguments, {"default", "base"}, 0));
  QN_TRY(const Int base, integer_or("int", places[1], 10));
  const Value otherwise = places[0].is(Kind::missing) ? Value::of(Int{0}) : places[0];
  if (subject.is_whole()) return Value::of(subject.integer());
  if (subject.is(Kind::undefined)) return undefined_error(subject);
  if (subject.is(Kind::real)) {
    if (std::isnan(subject.real())) return otherwise;
    QN_TRY(const Int whole, truncated(subject.real()));
    return Value::of(whole);
  }
  if (!subject.is(Kind::string)) return otherwise;
  if (base == 0 || (base >= 2 && base <= 36)) {
    QN_TRY(const std::optional<Int> whole, read_integer(subject.text(), static_cast<int>(base)));
    if (whole) return Value::of(*whole);
  }
  const std::optional<double> real = read_real(subject.text());
  if (!real || !std::isfinite(*real)) return otherwise;
  QN_TRY(const Int whole, truncated(*real));
  return Value::of(whole);
}

Result<Value> to_float(Machine&, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("float", arguments, {"default"}, 0));
  if (subject.is_number()) return Value::of(to_real(subject));
  if (subject.is(Kind::undefined)) return undefined_error(subject);
  if (subject.is(Kind::string))
    if (const std::optional<double> real = read_real(subject.text())) return Value::of(*real);
  return places[0].is(Kind::missing) ? Value::of(0.0) : places[0];
}

// round() of Python: to the nearest decimal, ties to even.
Result<Value> round_common(const Value& subject, Int precision) {
  if (subject.is_whole()) {
    const Int value = subject.integer();
    if (precision >= 0) return Value::of(value);
    if (precision < -38) return Value::of(Int{0});
    QN_TRY(const Int unit, integer_power(10, -precision));
    Int rest = value % unit;
    if (rest < 0) rest += unit;
    Int down = value - rest;
    const bool up = rest > unit - rest || (rest == unit - rest && (down / unit) % 2 != 0);
    return Value::of(up ? down + unit : down);
  }
  const double value = subject.real();
  if (!std::isfinite(value) || precision > 330) return subject;
  if (precision >= 0) {
    QN_TRY(const std::string digits, format_real(value, 'f', static_cast<int>(precision), false));
    double out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return Value::of(out);
  }
  if (precision < -310) return Value::of(std::copysign(0.0, value));
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return Value::of(std::nearbyint(value / unit) * unit);
}

Result<Value> round(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("round", arguments, {"precision", "method"}, 0));
  QN_TRY(const Int precision, integer_or("round", places[0], 0));
  QN_TRY(const Value method, string_or(machine, "round", places[1], "common"));
  if (subject.is(Kind::undefined)) return undefined_error(subject);
  if (!subject.is_number()) return type_error("round of {}; it takes a number", type_name(subject));
  if (method.text() == "common") return round_common(subject, precision);
  if (method.text() != "ceil" && method.text() != "floor")
    return type_error("round with method {}; use common, ceil or floor", quoted(method.text()));
  QN_TRY(const Value unit, arithmetic(machine, Sign::pow, Value::of(Int{10}), Value::of(precision)));
  QN_TRY(const Value scaled, arithmetic(machine, Sign::mul, subject, unit));
  Int whole = 0;
  if (scaled.is(Kind::real)) {
    QN_TRY(whole, truncated(method.text() == "ceil" ? std::ceil(scaled.real()) : std::floor(scaled.real())));
  } else {
    whole = scaled.integer();
  }
  return arithmetic(machine, Sign::div, Value::of(whole), unit);
}

Result<Value> filesizeformat(Machine& machine, const Value& subject, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("filesizeformat", arguments, {"binary"}, 0));
  std::optional<double> bytes;
  if (subject.is_number()) bytes = to_real(subject);
  if (subject.is(Kind::string)) bytes = read_real(subject.text());
  if (!bytes || !std::isfinite(*bytes)) return type_error("filesizeformat of {}; it takes a number", type_name(subject));
  const bool binary = true_or(places[0], false);
  const double base = binary ? 1024 : 1000;
  std::string out;
  if (*bytes == 1) {
    out = "1 Byte";
  } else if (*bytes < base) {
    out = fmt::format("{:.0f} Bytes", std::trunc(*bytes));
  } else {
    constexpr std::string_view letters = "kMGTPEZY";
    double unit = base;
    std::size_t i = 0;
    while (i + 1 < letters.size() && *bytes >= unit * base) unit *= base, ++i;
    const char letter = binary && i == 0 ? 'K' : letters[i];
    out = fmt::format("{:.1f} {}{}", *bytes / unit, letter, binary ? "iB" : "B");
  }
  return machine.heap().string(std::move(out));
}

constexpr FilterEntry entries[] = {
    {"abs", abs}, {"filesizeformat", filesizeformat}, {"float", to_float}, {"int", to_int}, {"round", round},
};

}  // namespace

std::span<const FilterEntry> number_filters() {
  return entries;
}

}  // namespace qn::text::jinja
