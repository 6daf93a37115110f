#include "api/metrics/exposition.h"

#include <charconv>
#include <cmath>

namespace qn::api {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string_view word(Exposition::Kind kind) {
  switch (kind) {
    case Exposition::Kind::counter: return "counter";
    case Exposition::Kind::gauge: return "gauge";
    case Exposition::Kind::histogram: break;
  }
  return "histogram";
}

}  // namespace

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out_.append("# TYPE ").append(name).append(" ").append(word(kind)).append("\n");
}

void Exposition::write_name(std::string_view ending, const Labels& labels, std::string_view bound) {
  out_.append(name_).append(ending);
  if (labels.empty() && bound.empty()) return;
  char before = '{';
  const auto write = [&](std::string_view name, std::string_view value) {
    out_ += std::exchange(before, ',');
    out_.append(name).append("=\"");
    append_escaped(out_, value);
    out_ += '"';
  };
  for (const auto& [name, value] : labels) write(name, value);
  if (!bound.empty()) write("le", bound);
  out_ += '}';
}

void Exposition::write_number(double value) {
  out_.append(" ").append(number_text(value)).append("\n");
}

void Exposition::sample(double value, const Labels& labels) {
  write_name("", labels);
  write_number(value);
}

void Exposition::histogram(const Histogram& values, const Labels& labels) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < values.counts().size(); ++i) {
    below += values.counts()[i];
    write_name("_bucket", labels, i < values.bounds().size() ? number_text(values.bounds()[i]) : "+Inf");
    write_number(static_cast<double>(below));
  }
  write_name("_sum", labels);
  write_number(values.sum());
  write_name("_count", labels);
  write_number(static_cast<double>(values.total()));
}

}  // namespace qn::api
