// POST /api/me: who is signed in to Ollama's cloud: nobody.
#include "api/errors.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->fail({Condition::bad_key, "unauthorized"});
}

}  // namespace

Endpoint endpoint_ollama_me() {
  return {"POST", {"/api/me"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
