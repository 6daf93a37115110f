// One HTTP request and one whole answer, as plain values: what endpoints see of HTTP.
// The path has been decoded once and normalized, the body de-chunked and decompressed; nobody looks at the bytes of the wire again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qn::api {

// What a key may do. Public paths need no key at all; admin may do everything.
enum class Scope : std::uint8_t { public_path, infer, pull, admin };

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;                // upper case, as sent
  std::string path;                  // decoded; begins with '/'; no "//", no '/' at the end but for the root
  std::string rest;                  // what the {rest} of the endpoint's path stands for: "qwen3:8b", "library/qwen3:8b"
  std::string query;                 // as sent, without the '?'
  Headers headers;                   // in the order sent, values without the blanks around them
  std::string body;                  // whole; empty where there was none
  std::string client;                // address of the client, or "unix"
  std::string id;                    // the client's X-Request-Id if it sent a usable one, else ours: a label, never a key
  Scope scope = Scope::public_path;  // of the key that was shown; admin where no keys are configured
  std::uint64_t tenant = 0;          // who asks: a hash of the key, 0 without one

  // The first header of this name in any case, or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
  // The value of `name` in the query, decoded ("" for a bare name), or nothing.
  std::optional<std::string> query_value(std::string_view name) const;
};

// Header names are the same in any case.
bool same_header_name(std::string_view a, std::string_view b);

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;  // beside Content-Type, Content-Length, Date and x-request-id, which are set for every answer
};

}  // namespace qn::api
