// GET /v1/models/{id}: one model, whose id may hold slashes and colons.
#include "api/anthropic/shared/model_json.h"
#include "api/body.h"
#include "api/openai/shared/model_json.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const std::string& name = exchange->request().rest;
  const auto model = service.models->find(name);
  if (!model) return exchange->fail({Condition::unknown_model, fmt::format("The model '{}' does not exist", quoted(name, 256))});
  const bool anthropic = exchange->request().header("anthropic-version").has_value();
  respond_json(*exchange, anthropic ? anthropic::model_json(*model) : openai::model_json(service, *model));
}

}  // namespace

Endpoint endpoint_openai_model() {
  return {"GET", {"/v1/models/{rest}"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
