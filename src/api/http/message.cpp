#include "api/http/message.h"

#include "api/http/target.h"

namespace qn::api {

bool same_header_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (same_header_name(key, name)) return value;
  return std::nullopt;
}

std::optional<std::string> HttpRequest::query_value(std::string_view name) const {
  std::string_view left = query;
  while (!left.empty()) {
    const std::string_view pair = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(left.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::optional<std::string> key = decode_query_text(pair.substr(0, equals));
    if (key && *key == name) return equals == std::string_view::npos ? std::string() : decode_query_text(pair.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace qn::api
