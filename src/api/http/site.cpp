#include "api/http/site.h"

#include <algorithm>
#include <random>

#include "base/format.h"
#include "base/random.h"

namespace qn::api {
namespace {

std::uint64_t random_key() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

bool is_usable_id(std::string_view id) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-_.:/+=@").find(c) != std::string_view::npos;
  };
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), fits);
}

bool is_preflight(const RequestHead& head) {
  const auto has = [&head](std::string_view name) {
    return std::any_of(head.headers.begin(), head.headers.end(), [name](const auto& h) { return same_header_name(h.first, name); });
  };
  return head.method == "OPTIONS" && has("origin") && has("access-control-request-method");
}

ApiError no_such_path(std::string_view path) {
  if (path.starts_with("/v1/v1"))
    return {Condition::unknown_path,
            fmt::format("{}: no such route; the base URL already ends in /v1, so leave one out", qn::quoted(path, 128))};
  return {Condition::unknown_path, fmt::format("{}: no such route; see docs/server.md for the routes", qn::quoted(path, 128))};
}

}  // namespace

Site::Site(Limits limits_, Gate gate_, std::vector<Endpoint> endpoints, Service& service_)
    : limits(limits_), gate(std::move(gate_)), routes(std::move(endpoints)), service(service_), id_key_(random_key()) {}

std::string Site::new_request_id() {
  const auto words = philox(id_key_, ids_++);
  return fmt::format("req_{:08x}{:08x}{:08x}", words[0], words[1], words[2]);
}

std::string Site::request_id(const RequestHead& head) {
  for (const auto& [name, value] : head.headers)
    if (same_header_name(name, "x-request-id") && is_usable_id(value)) return value;
  return new_request_id();
}

Admission Site::admit(const RequestHead& head, std::string_view request_id) const {
  Admission admission;
  const std::string& path = head.target.path;
  Route route = routes.find(head.method, path);
  admission.dialect = route.endpoint != nullptr ? route.endpoint->dialect : dialect_of_path(path);
  const auto refuse = [&](const ApiError& error) {
    admission.refusal = error_response(error, admission.dialect, request_id);
    return std::move(admission);
  };

  if (const auto error = gate.check_host(head)) return refuse(*error);
  if (const auto error = gate.check_origin(head)) return refuse(*error);
  admission.answer_headers = gate.cors_headers(head);
  if (is_preflight(head)) {  // carries no key
    admission.answer_headers = gate.preflight_headers(head, route.allowed.empty() ? "GET, POST, OPTIONS" : route.allowed);
    admission.refusal = HttpResponse{.status = 204, .content_type = {}};
    return admission;
  }
  const Scope needed = route.endpoint != nullptr ? route.endpoint->scope : Scope::infer;
  if (needed != Scope::public_path) {
    const auto key = gate.identify(head);
    if (!key) return refuse({Condition::bad_key, "no valid API key was given; send one as Authorization: Bearer KEY"});
    if (key->scope < needed) return refuse({Condition::forbidden, "this API key may not do this; use one with a wider scope"});
    admission.key = *key;
  } else if (gate.has_keys()) {
    admission.key = {Scope::public_path, 0};
  }
  if (route.endpoint == nullptr && head.method == "OPTIONS" && (path == "*" || !route.allowed.empty())) {
    admission.refusal = HttpResponse{.status = 204, .content_type = {}};
    if (!route.allowed.empty()) admission.refusal->headers.emplace_back("Allow", route.allowed);
    return admission;
  }
  if (route.endpoint == nullptr && route.allowed.empty()) return refuse(no_such_path(path));
  if (route.endpoint == nullptr) {
    Admission refused =
        refuse({Condition::wrong_method, fmt::format("{}: not for this path; use {}", qn::quoted(head.method, 32), route.allowed)});
    refused.refusal->headers.emplace_back("Allow", route.allowed);
    return refused;
  }
  if (const auto error = gate.check_content_type(head)) return refuse(*error);
  if (needed != Scope::public_path && service.readiness == Readiness::draining)
    return refuse({Condition::overloaded, "the server is being stopped; try again later"});
  if (head.has_body() && body_bytes_held + head.content_length > limits.all_bodies_bytes)
    return refuse({Condition::overloaded, "the server is reading too many requests; try again later"});
  admission.endpoint = route.endpoint;
  admission.rest = std::move(route.rest);
  return admission;
}

}  // namespace qn::api
