// POST /v1/chat/completions/input_tokens: how many tokens a chat's prompt has.
#include "api/body.h"
#include "api/native/shared/chat_prompt.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  native::render_chat(service, exchange, Dialect::openai,
                      [](Exchange& to, const serve::LoadedModel& model, const std::string& prompt, const std::vector<Warning>& warnings) {
                        const bool plain = model.form == serve::PromptForm::plain_text;
                        const std::size_t count = model.tokenizer->encode(prompt, {text::Specials::parse, plain}).size();
                        respond_json(to, {{"object", "response.input_tokens"}, {"input_tokens", count}}, warnings);
                      });
}

}  // namespace

Endpoint endpoint_openai_chat_input_tokens() {
  return {"POST", {"/v1/chat/completions/input_tokens"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
