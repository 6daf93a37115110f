// GET /models: llama-server's list: OpenAI's, and the same models in Ollama's shape beside it.
#include "api/body.h"
#include "api/openai/shared/model_json.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  json::Array data, models;
  for (const auto& model : service.models->list()) {
    data.push_back(openai::model_json(service, *model));
    models.push_back(json::Object{{"name", model->name},
                                  {"model", model->name},
                                  {"modified_at", ""},
                                  {"size", model->size_bytes},
                                  {"digest", model->digest},
                                  {"type", "model"},
                                  {"description", ""},
                                  {"tags", json::Array()},
                                  {"capabilities", json::Array{"completion"}},
                                  {"parameters", ""},
                                  {"details", json::Object{{"parent_model", ""},
                                                           {"format", "gguf"},
                                                           {"family", ""},
                                                           {"families", json::Array{""}},
                                                           {"parameter_size", ""},
                                                           {"quantization_level", ""}}}});
  }
  respond_json(*exchange, {{"models", std::move(models)}, {"object", "list"}, {"data", std::move(data)}});
}

}  // namespace

Endpoint endpoint_native_models() {
  return {"GET", {"/models"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
