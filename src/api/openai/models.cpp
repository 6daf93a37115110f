// GET /v1/models: what this server offers, loaded or not.
#include "api/anthropic/shared/model_json.h"
#include "api/body.h"
#include "api/openai/shared/model_json.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  json::Array models;
  const bool anthropic = exchange->request().header("anthropic-version").has_value();
  for (const auto& model : service.models->list()) {
    if (anthropic) {
      models.push_back(anthropic::model_json(*model));
    } else {
      models.push_back(openai::model_json(service, *model));
    }
  }
  if (!anthropic) return respond_json(*exchange, {{"object", "list"}, {"data", std::move(models)}});
  const json::Value first = models.empty() ? json::Value(nullptr) : models.front().at("id");
  const json::Value last = models.empty() ? json::Value(nullptr) : models.back().at("id");
  respond_json(*exchange, {{"data", std::move(models)}, {"has_more", false}, {"first_id", first}, {"last_id", last}});
}

}  // namespace

Endpoint endpoint_openai_models() {
  return {"GET", {"/v1/models"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
