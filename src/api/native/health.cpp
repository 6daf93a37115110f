// GET /health: whether requests would be answered; the words of llama-server while a model is being loaded.
#include "api/endpoint.h"
#include "api/errors.h"
#include "api/service.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  if (!service.engine_turns()) return exchange->fail({Condition::overloaded, "the engine has stopped turning"});
  if (service.readiness == Readiness::loading) return exchange->fail({Condition::loading, "Loading model"});
  exchange->respond({.body = R"({"status":"ok"})"});
}

}  // namespace

Endpoint endpoint_native_health() {
  return {"GET", {"/health", "/v1/health"}, Scope::public_path, Dialect::native, handle};
}

}  // namespace qn::api
