// GET /props: what llama-server tells of itself and its model. Setting them is not offered.
#include <utility>

#include "api/body.h"
#include "api/model_work.h"
#include "api/native/shared/settings_json.h"
#include "api/sampling_fields.h"
#include "engine/engine.h"

namespace qn::api {
namespace {

std::string text_of(const text::Tokenizer& tokenizer, TokenId id) {
  return id < 0 ? std::string() : std::string(tokenizer.special_text(id));
}

json::Object capabilities_json(const serve::LoadedModel& model) {
  json::Object out;
  const bool has_template = model.chat_template.has_value();
  out["supports_system_role"] = has_template;
  out["supports_tools"] = has_template && model.dialect.has_tools();
  out["supports_tool_calls"] = has_template && model.dialect.has_tools();
  out["supports_parallel_tool_calls"] = has_template && model.dialect.has_tools();
  return out;
}

void answer(Exchange& exchange, const serve::Lease& lease, const std::string& version) {
  const serve::LoadedModel& model = *lease;
  const text::VocabSpec& vocab = model.tokenizer->spec();
  json::Object settings{{"params", native::default_settings_json(model)}, {"n_ctx", model.context_tokens}};
  json::Object body{{"default_generation_settings", std::move(settings)},
                    {"total_slots", model.engine->info().max_sequences},
                    {"model_alias", lease.served().name}};
  // Where files lie is nobody's business but the keeper's.
  const auto* path = std::get_if<std::filesystem::path>(&lease.served().source);
  body["model_path"] = path != nullptr && exchange.request().scope == Scope::admin ? path->native() : "";
  body["model_ftype"] = "";
  body["modalities"] = json::Object{{"vision", false}, {"audio", false}, {"video", false}};
  body["media_marker"] = nullptr;
  body["chat_template"] = model.template_source;
  body["chat_template_caps"] = capabilities_json(model);
  body["bos_token"] = text_of(*model.tokenizer, vocab.bos);
  body["eos_token"] = text_of(*model.tokenizer, vocab.eos);
  body["build_info"] = "quern-" + version;
  body["is_sleeping"] = false;
  body["endpoint_slots"] = true;
  body["endpoint_props"] = false;
  body["endpoint_metrics"] = true;
  respond_json(exchange, std::move(body));
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  if (exchange->request().method == "POST")
    return exchange->fail({Condition::not_offered, "This server does not support changing global properties."});
  const ModelWish wish{.model = exchange->request().query_value("model").value_or(""), .dialect = Dialect::native};
  with_model(service, exchange, wish,
             [&service](const std::shared_ptr<Exchange>& to, const serve::Lease& lease) { answer(*to, lease, service.version); });
}

}  // namespace

Endpoint endpoint_native_props() {
  return {"GET POST", {"/props"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
