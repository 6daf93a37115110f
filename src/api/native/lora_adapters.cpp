// GET and POST /lora-adapters: none are loaded, and none can be set.
#include "api/body.h"
#include "api/workers.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  if (exchange->request().method != "POST") return exchange->respond({.body = "[]"});
  const bool taken = service.workers->run([exchange] {
    const Result<json::Value> parsed = json::parse(exchange->request().body);
    if (!parsed) return exchange->fail({Condition::bad_request, parsed.error().message});
    if (!parsed->is_array()) return exchange->fail({Condition::bad_request, "Request body must be an array"});
    if (!parsed->get_array().empty())
      return exchange->fail({Condition::not_offered, "lora-adapters: this server loads no adapters; send an empty list"});
    respond_json(*exchange, {{"success", true}});
  });
  if (!taken) exchange->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
}

}  // namespace

Endpoint endpoint_native_lora_adapters() {
  return {"GET POST", {"/lora-adapters"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
