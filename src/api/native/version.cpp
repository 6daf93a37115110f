// GET /version: vLLM's form.
#include "api/endpoint.h"
#include "api/service.h"
#include "base/json.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  json::Object body;
  body["version"] = service.version;
  exchange->respond({.body = json::print(body)});
}

}  // namespace

Endpoint endpoint_native_version() {
  return {"GET", {"/version"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
