// GET /api/tags: the models this server offers, newest first.
#include <algorithm>

#include "api/body.h"
#include "api/ollama/shared/model_json.h"
#include "api/ollama/shared/reply.h"
#include "api/workers.h"

namespace qn::api {
namespace {

json::Object tag(Service& service, const serve::ServedModel& model) {
  const auto facts = service.facts.of(model);
  return {{"name", model.name},
          {"model", model.name},
          {"modified_at", ollama::timestamp(model.modified)},
          {"size", model.size_bytes},
          {"digest", ollama::digest_of(model)},
          {"details", ollama::details_json(facts.get())},
          {"capabilities", ollama::capabilities_json(facts.get())}};
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const bool taken = service.workers->run([&service, exchange] {  // the first time, files are read
    auto models = service.models->list();
    std::ranges::stable_sort(models, [](const auto& a, const auto& b) { return a->modified > b->modified; });
    json::Array tags;
    for (const auto& model : models) tags.push_back(tag(service, *model));
    respond_json(*exchange, {{"models", std::move(tags)}});
  });
  if (!taken) exchange->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
}

}  // namespace

Endpoint endpoint_ollama_tags() {
  return {"GET", {"/api/tags"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
