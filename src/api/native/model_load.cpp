// POST /models/load and /models/unload: {"model": name}, llama-server's way to bring a model into memory and out of it.
#include "api/body.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ModelWish wish;
    fields.require("model");
    read_wish(fields, wish);
    wish.dialect = Dialect::native;
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    if (asked->request().path.ends_with("/load")) {
      return with_model(service, asked, wish,
                        [warnings = std::move(reading.warnings)](const std::shared_ptr<Exchange>& to, const serve::Lease&) {
                          respond_json(*to, {{"success", true}}, warnings);
                        });
    }
    if (!service.models->unload(wish.model)) return asked->fail(unknown_model(Dialect::native, wish.model));
    respond_json(*asked, {{"success", true}}, reading.warnings);
  });
}

}  // namespace

Endpoint endpoint_native_model_load() {
  return {"POST", {"/models/load", "/models/unload"}, Scope::admin, Dialect::native, handle};
}

}  // namespace qn::api
