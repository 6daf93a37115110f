// GET /slots: the engine's places as llama-server's slots. A view: which sequence has which place is nobody's, so only their number counts,
// and no prompt is shown. Saving and restoring them is not offered (not_offered.cpp).
#include "api/body.h"
#include "api/model_work.h"
#include "api/native/shared/settings_json.h"
#include "engine/engine.h"

namespace qn::api {
namespace {

void answer(Exchange& exchange, const serve::LoadedModel& model) {
  const int places = model.engine->info().max_sequences, running = model.engine->stats().now.running;
  if (running >= places && exchange.request().query_value("fail_on_no_slot").value_or("0") != "0")
    return exchange.fail({Condition::overloaded, "no slot available"});
  const json::Object settings = native::default_settings_json(model);
  json::Array slots;
  for (int i = 0; i < places; ++i) {
    const bool busy = i < running;
    slots.push_back(
        json::Object{{"id", i},
                     {"id_task", busy ? i : -1},
                     {"n_ctx", model.context_tokens},
                     {"speculative", false},
                     {"is_processing", busy},
                     {"params", settings},
                     {"next_token", json::Object{{"has_next_token", busy}, {"has_new_line", false}, {"n_remain", -1}, {"n_decoded", 0}}}});
  }
  HttpResponse response;
  response.body = json::print(slots);
  exchange.respond(std::move(response));
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const ModelWish wish{.model = exchange->request().query_value("model").value_or(""), .dialect = Dialect::native};
  with_model(service, exchange, wish, [](const std::shared_ptr<Exchange>& to, const serve::Lease& lease) { answer(*to, *lease); });
}

}  // namespace

Endpoint endpoint_native_slots() {
  return {"GET", {"/slots"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
