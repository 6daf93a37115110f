#include "api/http/gate.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/format.h"

namespace qn::api {
namespace {

constexpr std::string_view builtin_origins[] = {
    "http://localhost", "https://localhost", "http://localhost:*", "https://localhost:*",
    "http://127.0.0.1", "https://127.0.0.1", "http://127.0.0.1:*", "https://127.0.0.1:*",
    "http://0.0.0.0",   "https://0.0.0.0",   "http://0.0.0.0:*",   "https://0.0.0.0:*",
    "app://*",          "file://*",          "tauri://*",          "vscode-webview://*",
    "vscode-file://*",
};
constexpr std::string_view allowed_request_headers[] = {
    "authorization", "content-type", "user-agent",        "accept",         "x-requested-with", "openai-beta",
    "x-api-key",     "api-key",      "anthropic-version", "anthropic-beta", "x-request-id",     "anthropic-dangerous-direct-browser-access",
};
constexpr std::string_view allowed_request_header_beginning = "x-stainless-";
constexpr std::string_view exposed_headers = "x-request-id, request-id, Retry-After, X-Quern-Warnings, X-Quern-Truncated";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// An origin may have any authority where the pattern ends in "://*", any port where it ends in ":*", and is else the same, letter for
// letter.
bool origin_matches(std::string_view origin, std::string_view pattern) {
  if (pattern == "*") return origin != "null";
  if (pattern.ends_with("://*")) return origin.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.ends_with(":*")) {
    const std::string_view before = pattern.substr(0, pattern.size() - 1);
    return origin.starts_with(before) && is_port(origin.substr(before.size()));
  }
  return origin == pattern;
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view host) {
  std::array<unsigned char, 16> bytes;
  if (host.starts_with('[') && host.ends_with(']'))
    return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), bytes.data()) == 1;
  return inet_pton(AF_INET, std::string(host).c_str(), bytes.data()) == 1;
}

std::optional<std::string_view> header_of(const RequestHead& head, std::string_view name) {
  for (const auto& [key, value] : head.headers)
    if (same_header_name(key, name)) return value;
  return std::nullopt;
}

std::string this_machine() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : "";
}

}  // namespace

Status check_origin_pattern(std::string_view pattern) {
  const std::size_t colon = pattern.find("://");
  const std::size_t star = pattern.find('*');
  const bool star_fits =
      star == std::string_view::npos || (star + 1 == pattern.size() && (pattern.ends_with("://*") || pattern.ends_with(":*")));
  const bool path = colon != std::string_view::npos && pattern.find('/', colon + 3) != std::string_view::npos;
  if (pattern == "*" || (colon != std::string_view::npos && colon > 0 && colon + 3 < pattern.size() && star_fits && !path)) return {};
  return fail(Code::bad_input, "origin {}: expected SCHEME://HOST[:PORT], SCHEME://HOST:*, SCHEME://* or *", qn::quoted(pattern));
}

Gate::Gate(GateOptions options, KeyRing keys) : options_(std::move(options)), keys_(std::move(keys)), machine_name_(this_machine()) {
  for (std::string& host : options_.hosts) host = lower(host);
}

bool Gate::host_allowed(std::string_view host_and_port) const {
  std::string host = lower(without_port(host_and_port));
  if (is_address(host)) return true;
  if (host.ends_with('.')) host.pop_back();
  if (host.empty()) return false;
  if (host == "localhost" || (!machine_name_.empty() && host == machine_name_)) return true;
  for (const std::string_view ending : {".localhost", ".local", ".internal"})
    if (host.size() > ending.size() && host.ends_with(ending)) return true;
  if (single_label_names_ && host.find('.') == std::string::npos) return true;
  return std::find(options_.hosts.begin(), options_.hosts.end(), host) != options_.hosts.end();
}

std::optional<ApiError> Gate::check_host(const RequestHead& head) const {
  const std::string_view host = head.host.empty() ? std::string_view(head.target.authority) : std::string_view(head.host);
  if (host.empty() && head.minor_version == 0) return std::nullopt;  // a browser always sends one
  if (host_allowed(host)) return std::nullopt;
  return ApiError{
      Condition::forbidden,
      fmt::format("header Host: {} is no name of this server; use its address, or start it with --allowed-host", qn::quoted(host, 128))};
}

bool Gate::origin_allowed(std::string_view origin, std::string_view host) const {
  const std::string text = lower(origin);
  const std::string own = lower(host);
  if (!own.empty() && (text == "http://" + own || text == "https://" + own)) return true;  // our own page; the Host has been checked
  const auto matches = [&text](std::string_view pattern) { return origin_matches(text, lower(pattern)); };
  return std::any_of(std::begin(builtin_origins), std::end(builtin_origins), matches) ||
         std::any_of(options_.origins.begin(), options_.origins.end(), matches);
}

std::optional<ApiError> Gate::check_origin(const RequestHead& head) const {
  const auto origin = header_of(head, "origin");
  if (!origin || origin_allowed(*origin, head.host)) return std::nullopt;
  return ApiError{Condition::forbidden,
                  fmt::format("header Origin: {} is not allowed; start the server with --allowed-origin", qn::quoted(*origin, 128))};
}

std::optional<ApiError> Gate::check_content_type(const RequestHead& head) const {
  if (!header_of(head, "origin") || head.method == "GET" || head.method == "HEAD") return std::nullopt;
  const auto type = header_of(head, "content-type");
  if (!type && !head.has_body()) return std::nullopt;
  std::string_view media = type.value_or("");
  media = media.substr(0, media.find(';'));
  media = media.substr(0, media.find_last_not_of(" \t") + 1);
  if (same_header_name(media, "application/json")) return std::nullopt;
  return ApiError{Condition::bad_encoding, "header Content-Type: a request of a web page must send application/json"};
}

std::optional<KnownKey> Gate::identify(const RequestHead& head) const {
  if (keys_.empty()) return KnownKey{Scope::admin, 0};
  for (const auto& [name, value] : head.headers) {
    std::string_view key;
    if (same_header_name(name, "authorization") && value.size() > 7 && same_header_name(std::string_view(value).substr(0, 7), "bearer "))
      key = std::string_view(value).substr(value.find_first_not_of(' ', 7));
    else if (same_header_name(name, "x-api-key") || same_header_name(name, "api-key"))
      key = value;
    if (const auto known = keys_.find(key)) return known;
  }
  return std::nullopt;
}

Headers Gate::cors_headers(const RequestHead& head) const {
  const auto origin = header_of(head, "origin");
  if (!origin) return {};
  return {{"Access-Control-Allow-Origin", std::string(*origin)},
          {"Access-Control-Expose-Headers", std::string(exposed_headers)},
          {"Vary", "Origin"}};
}

Headers Gate::preflight_headers(const RequestHead& head, std::string_view methods) const {
  std::string names;
  std::string_view asked = header_of(head, "access-control-request-headers").value_or("");
  while (!asked.empty()) {
    std::string_view name = asked.substr(0, asked.find(','));
    asked.remove_prefix(std::min(asked.size(), name.size() + 1));
    name.remove_prefix(std::min(name.size(), name.find_first_not_of(" \t")));
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    const std::string text = lower(name);
    const bool fits =
        text.starts_with(allowed_request_header_beginning)
            ? text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos
            : std::find(std::begin(allowed_request_headers), std::end(allowed_request_headers), text) != std::end(allowed_request_headers);
    if (fits) names += fmt::format("{}{}", names.empty() ? "" : ", ", text);
  }
  Headers headers{{"Access-Control-Allow-Origin", std::string(header_of(head, "origin").value_or(""))},
                  {"Access-Control-Allow-Methods", std::string(methods)},
                  {"Access-Control-Max-Age", "600"},
                  {"Vary", "Origin"}};
  if (!names.empty()) headers.emplace_back("Access-Control-Allow-Headers", names);
  return headers;
}

}  // namespace qn::api
