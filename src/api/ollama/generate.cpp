// POST /api/generate: Ollama's completion of one prompt, wrapped into the model's template unless it is raw.
#include <utility>

#include "api/ollama/shared/reply.h"
#include "api/ollama/shared/request.h"

namespace qn::api {
namespace {

void read_prompt(Fields& fields, ollama::Asked& asked, bool raw) {
  Reading& reading = fields.reading();
  const std::string prompt = fields.text("prompt").value_or("");
  asked.suffix = fields.text("suffix").value_or("");
  const std::string system = fields.text("system").value_or("");
  const std::string form = fields.text("template").value_or("");
  const json::Array* context = fields.array("context");
  const bool has_context = context != nullptr && !context->empty();
  if (raw && (!form.empty() || !system.empty() || has_context))
    return reading.refuse("raw", Code::bad_input, "raw mode does not support template, system, or context");
  if (!form.empty())
    reading.refuse("template", Code::unsupported, "template: this server takes no templates from requests; leave it out, or send raw text");
  if (has_context) reading.warn("context", "ignored", "send earlier turns with /api/chat: their prefix is found in the cache");
  if (const json::Array* images = fields.array("images"); images != nullptr && !images->empty())
    reading.refuse("images", Code::unsupported, "images: this model reads text only; leave them out");
  if (raw || !asked.suffix.empty()) {
    asked.request.raw_prompt = serve::RawText{prompt};
  } else {
    if (!system.empty()) asked.request.chat.messages.push_back({"system", system});
    asked.request.chat.messages.push_back({"user", prompt});
  }
}

void wrap_in_marks(Service& service, ollama::Asked& asked) {
  const auto model = service.models->find(asked.job.model);
  const auto facts = model != nullptr ? service.facts.of(*model) : nullptr;
  if (facts == nullptr) return;
  auto& raw = std::get<serve::RawText>(asked.request.raw_prompt);
  raw.text = facts->fill_marks[0] + raw.text + facts->fill_marks[1] + asked.suffix + facts->fill_marks[2];
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& from, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ollama::Asked asked;
    ollama::read_asked(service, fields, asked);
    const bool raw = fields.boolean("raw").value_or(false);
    read_prompt(fields, asked, raw);
    const bool only_renders = fields.boolean("_debug_render_only").value_or(false);
    fields.warn_of_the_rest();
    if (refused(*from, reading)) return;
    asked.job.warnings = std::move(reading.warnings);
    const json::Value* prompt = body.if_contains("prompt");
    const bool nothing = !fields.has("suffix") && (prompt == nullptr || prompt->is_null() || prompt->get_string().empty());
    if (nothing)
      return ollama::load_or_unload(
          service, from, asked.job,
          {{"model", asked.job.model}, {"created_at", ollama::timestamp(std::chrono::system_clock::now())}, {"response", ""}});
    const bool fills_in = !asked.suffix.empty();
    if (ollama::cannot(service, *from, asked.job.model, fills_in ? ollama::Ability::insert : ollama::Ability::generate)) return;
    if (fills_in) wrap_in_marks(service, asked);
    if (only_renders) return ollama::render_only(service, from, std::move(asked));
    asked.job.prompts.push_back(std::move(asked.request));
    generate(service, from, std::move(asked.job), ollama::reply_writer({.logprobs = asked.logprobs, .has_context = !raw}));
  });
}

}  // namespace

Endpoint endpoint_ollama_generate() {
  return {"POST", {"/api/generate"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
