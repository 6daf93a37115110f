// GET /readyz: models that were to be preloaded are warm, the engine turns, and the server is not being stopped.
#include "api/endpoint.h"
#include "api/errors.h"
#include "api/service.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const Readiness readiness = service.readiness;
  if (readiness == Readiness::draining) return exchange->fail({Condition::overloaded, "the server is being stopped"});
  if (readiness == Readiness::loading) return exchange->fail({Condition::loading, "Loading model"});
  if (!service.engine_turns()) return exchange->fail({Condition::overloaded, "the engine has stopped turning"});
  exchange->respond({.body = R"({"status":"ok"})"});
}

}  // namespace

Endpoint endpoint_native_ready() {
  return {"GET", {"/readyz"}, Scope::public_path, Dialect::native, handle};
}

}  // namespace qn::api
