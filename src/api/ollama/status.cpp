// GET /api/status: there is no cloud behind this server.
#include "api/body.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  respond_json(*exchange, {{"cloud", json::Object{{"disabled", true}, {"source", "config"}}}});
}

}  // namespace

Endpoint endpoint_ollama_status() {
  return {"GET", {"/api/status"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
