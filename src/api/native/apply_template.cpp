// POST /apply-template: the prompt that a chat becomes.
#include "api/body.h"
#include "api/native/shared/chat_prompt.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  native::render_chat(service, exchange, Dialect::native,
                      [](Exchange& to, const serve::LoadedModel&, const std::string& prompt, const std::vector<Warning>& warnings) {
                        respond_json(to, {{"prompt", prompt}}, warnings);
                      });
}

}  // namespace

Endpoint endpoint_native_apply_template() {
  return {"POST", {"/apply-template"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
