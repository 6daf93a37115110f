// GET /load: vLLM's count of requests in progress.
#include "api/body.h"
#include "serve/model_host.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  int leases = 0;
  for (const serve::LoadedInfo& model : service.models->loaded()) leases += model.leases;
  respond_json(*exchange, {{"server_load", leases}});
}

}  // namespace

Endpoint endpoint_native_load() {
  return {"GET", {"/load"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
