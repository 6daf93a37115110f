// Gate: who may come in. Pure decisions about a request's head, made before its body is read: Host, Origin, key, scope, content type.
// Default deny: what no endpoint declares public needs a key wherever keys are configured, unknown paths too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/errors.h"
#include "api/http/keys.h"
#include "api/http/request_parser.h"

namespace qn::api {

struct GateOptions {
  std::vector<std::string> origins;  // beside the built-in ones: "https://chat.example.com", "app://*", "http://10.0.0.1:*", or "*"
  std::vector<std::string> hosts;    // names we answer to beside the built-in ones: "quern.example.com"
};

// "https://host[:port]", "scheme://*", "http://host:*", "*".
//   errors   bad_input: a pattern of another form
Status check_origin_pattern(std::string_view pattern);

class Gate {
 public:
  explicit Gate(GateOptions options, KeyRing keys = {});

  void set_keys(KeyRing keys) { keys_ = std::move(keys); }  // on the loop: SIGHUP
  // Bound beyond loopback: compose services reach us as http://quern:11434.
  void answer_to_single_label_names() { single_label_names_ = true; }
  bool has_keys() const { return !keys_.empty(); }

  // Host guard against DNS rebinding: addresses, local names and configured names pass.
  std::optional<ApiError> check_host(const RequestHead& head) const;
  // A request of a web page comes from an allowed origin, and what it sends is JSON. Requests without Origin pass.
  std::optional<ApiError> check_origin(const RequestHead& head) const;
  std::optional<ApiError> check_content_type(const RequestHead& head) const;
  // The key that was shown. Without configured keys everybody may do everything.
  std::optional<KnownKey> identify(const RequestHead& head) const;

  bool origin_allowed(std::string_view origin, std::string_view host) const;
  // For an answer to an allowed origin, and to a preflight of one.
  Headers cors_headers(const RequestHead& head) const;
  Headers preflight_headers(const RequestHead& head, std::string_view methods) const;

 private:
  bool host_allowed(std::string_view host) const;

  GateOptions options_;
  KeyRing keys_;
  bool single_label_names_ = false;
  std::string machine_name_;
};

}  // namespace qn::api
