// The request target: decoded once, normalized once. Router and gate see this result and nothing else.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qn::api {

struct Target {
  std::string path;       // decoded; begins with '/'; no "//", no '/' at the end but for the root. "*" for OPTIONS *
  std::string query;      // as sent
  std::string authority;  // of an absolute target, else empty
};

// "/v1//models/?a=b" or "http://host/v1/models".
//   returns  nothing where a byte is not allowed, an escape is broken, or the decoded path has control characters or is not UTF-8
//   source   RFC 9112 section 3.2, RFC 3986 section 3.3
std::optional<Target> parse_target(std::string_view text);

// One name or value of a query: %XX and '+' decoded; nothing where an escape is broken.
std::optional<std::string> decode_query_text(std::string_view text);

}  // namespace qn::api
