#include <charconv>
#include <cmath>

#include "text/template/format.h"

namespace qn::text::jinja {
namespace {

constexpr int max_precision = 1000;

std::string print_fixed(double value, int precision, std::chars_format form) {
  std::string out(static_cast<std::size_t>(precision) + 400, '\0');
  const auto end = std::to_chars(out.data(), out.data() + out.size(), value, form, precision);
  out.resize(static_cast<std::size_t>(end.ptr - out.data()));
  return out;
}

}  // namespace

Result<std::string> format_real(double value, char conversion, int precision, bool alternate) {
  if (precision > max_precision) return fail(Code::too_large, "precision {} in a format; at most {} is offered", precision, max_precision);
  const char kind = static_cast<char>(conversion | 0x20);
  std::string out;
  if (std::isnan(value)) {
    out = "nan";
  } else if (std::isinf(value)) {
    out = "inf";
  } else if (kind == 'f') {
    out = print_fixed(std::fabs(value), precision, std::chars_format::fixed);
  } else if (kind == 'e') {
    out = print_fixed(std::fabs(value), precision, std::chars_format::scientific);
  } else {
    out = print_fixed(std::fabs(value), precision == 0 ? 1 : precision, std::chars_format::general);
  }
  if (alternate && out.find('.') == std::string::npos && std::isfinite(value)) {
    const std::size_t exponent = out.find('e');
    out.insert(exponent == std::string::npos ? out.size() : exponent, ".");
  }
  if (conversion != kind)
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return (std::signbit(value) && !std::isnan(value) ? "-" : "") + out;
}

}  // namespace qn::text::jinja
