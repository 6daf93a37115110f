// GET, POST /ping: vLLM's form, as hosting platforms ask; 200 with nothing in it.
#include "api/endpoint.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->respond({.content_type = {}});
}

}  // namespace

Endpoint endpoint_native_ping() {
  return {"GET POST", {"/ping"}, Scope::public_path, Dialect::native, handle};
}

}  // namespace qn::api
