#include "text/grammar/schema/decimal.h"

#include <charconv>
#include <cmath>

namespace qn::text::schema {

Result<std::string> decimal_text(const json::Value& value, const std::string& path) {
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (!value.is_double() || !std::isfinite(value.get_double())) return fail(Code::bad_input, "{}: expected a number", path);
  char buffer[400];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value.get_double(), std::chars_format::fixed);
  std::string text(buffer, end);
  if (error != std::errc() || text.size() > 42)
    return fail(Code::unsupported, "{}: a bound of more than 40 digits; use a smaller one", path);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

Decimal parse_decimal(std::string_view text) {
  Decimal out{text.starts_with("-"), {}, {}};
  if (out.negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  out.whole = text.substr(0, point);
  if (point != std::string_view::npos) out.fraction = text.substr(point + 1);
  return out;
}

int compare_decimals(std::string_view a, std::string_view b) {
  const Decimal x = parse_decimal(a), y = parse_decimal(b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  const int sign = x.negative ? -1 : 1;
  if (x.whole.size() != y.whole.size()) return x.whole.size() < y.whole.size() ? -sign : sign;
  if (const int whole = x.whole.compare(y.whole); whole != 0) return whole < 0 ? -sign : sign;
  const int fraction = x.fraction.compare(y.fraction);  // without trailing zeros a prefix is the smaller one
  return fraction == 0 ? 0 : fraction < 0 ? -sign : sign;
}

}  // namespace qn::text::schema
