// Site: what all connections of a server share: the limits, the gate, the routes, the counts, the log.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/http/gate.h"
#include "api/http/routes.h"
#include "api/service.h"

namespace qn::api {

// One request as the access log and the metrics see it. Never prompts, replies or keys.
struct AccessRecord {
  std::string_view id, method, path, client;
  std::string_view route;  // the endpoint's first path, or "other"
  int status = 0;          // 499: the client left first
  double total_ms = 0;
  std::int64_t sent_bytes = 0;
  RequestNotes notes;
};

// What becomes of a request, decided from its head.
struct Admission {
  const Endpoint* endpoint = nullptr;   // to answer it, if there is no refusal
  std::optional<HttpResponse> refusal;  // or the answer to a preflight
  Dialect dialect = Dialect::native;
  std::string rest;
  KnownKey key;
  Headers answer_headers;  // CORS, for whatever answer comes
};

class Site {
 public:
  Site(Limits limits, Gate gate, std::vector<Endpoint> endpoints, Service& service);

  Admission admit(const RequestHead& head, std::string_view request_id) const;
  // The client's X-Request-Id if it is a plain word, else a new one.
  std::string request_id(const RequestHead& head);
  std::string new_request_id();

  const Limits limits;
  Gate gate;
  const Routes routes;
  Service& service;
  std::function<void(const AccessRecord&)> on_request;  // answered, or given up
  std::function<void(int)> on_in_flight = [](int) {};   // +1, -1
  std::function<std::string()> date;                    // "Fri, 20 Nov 2026 14:00:00 GMT"
  std::int64_t body_bytes_held = 0;                     // of requests that are being read

 private:
  std::uint64_t id_key_;
  std::uint64_t ids_ = 0;
};

}  // namespace qn::api
