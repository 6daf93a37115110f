// POST /api/signout: there is nothing to sign out of.
#include "api/endpoint.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->respond({.body = "{}"});
}

}  // namespace

Endpoint endpoint_ollama_signout() {
  return {"POST", {"/api/signout"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
