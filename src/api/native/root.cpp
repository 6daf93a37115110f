// GET /: what Ollama's clients and container images look for.
#include "api/endpoint.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->respond({.content_type = "text/plain; charset=utf-8", .body = "Ollama is running"});
}

}  // namespace

Endpoint endpoint_native_root() {
  return {"GET", {"/"}, Scope::public_path, Dialect::native, handle};
}

}  // namespace qn::api
