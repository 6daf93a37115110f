// GET /livez, /healthz: the process answers, whatever state it is in.
#include "api/endpoint.h"

namespace qn::api {
namespace {

void handle(Service&, std::shared_ptr<Exchange> exchange) {
  exchange->respond({.body = R"({"status":"ok"})"});
}

}  // namespace

Endpoint endpoint_native_live() {
  return {"GET", {"/livez", "/healthz"}, Scope::public_path, Dialect::native, handle};
}

}  // namespace qn::api
