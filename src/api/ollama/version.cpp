// GET /api/version. Clients split `version` at its dots and compare numbers, some with a least version of Ollama: it is that of the Ollama
// whose API this is. Ours stands beside it.
#include "api/endpoint.h"
#include "api/service.h"
#include "base/json.h"

namespace qn::api {
namespace {

constexpr std::string_view ollama_version = "0.32.15";

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  json::Object body;
  body["version"] = ollama_version;
  body["quern_version"] = service.version;
  exchange->respond({.body = json::print(body)});
}

}  // namespace

Endpoint endpoint_ollama_version() {
  return {"GET", {"/api/version"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
