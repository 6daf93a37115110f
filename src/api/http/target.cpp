#include "api/http/target.h"

#include "base/utf8.h"

namespace qn::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { plus, blank };

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::blank ? ' ' : text[i];
    }
  }
  return out;
}

bool is_visible_ascii(std::string_view text) {
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f) return false;
  return true;
}

bool has_control(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

std::string normalized(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

}  // namespace

std::optional<std::string> decode_query_text(std::string_view text) {
  return percent_decoded(text, Plus::blank);
}

std::optional<Target> parse_target(std::string_view text) {
  if (text.empty() || !is_visible_ascii(text) || text.find('#') != std::string_view::npos) return std::nullopt;
  Target target;
  if (text == "*") {
    target.path = "*";
    return target;
  }
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    const std::size_t end = text.find_first_of("/?");
    target.authority = text.substr(0, end);
    if (target.authority.empty() || target.authority.find('@') != std::string::npos) return std::nullopt;
    text = end == std::string_view::npos ? "/" : text.substr(end);
    break;
  }
  const std::size_t question = text.find('?');
  if (question != std::string_view::npos) target.query = text.substr(question + 1);
  text = text.substr(0, question);
  if (text.empty() && !target.authority.empty()) text = "/";
  if (!text.starts_with('/')) return std::nullopt;
  const std::optional<std::string> path = percent_decoded(text, Plus::plus);
  if (!path || has_control(*path) || !utf8::is_valid(*path)) return std::nullopt;
  target.path = normalized(*path);
  return target;
}

}  // namespace qn::api
