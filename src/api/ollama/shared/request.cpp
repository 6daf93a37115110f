#include "api/ollama/shared/request.h"

#include <algorithm>
#include <array>

#include "api/model_work.h"
#include "api/ollama/shared/reply.h"

namespace qn::api::ollama {
namespace {

void read_options(Fields& fields, Asked& asked) {
  Fields options(fields.object("options"), "options", fields.reading(), Fields::Spelling::ollama_option);
  // What stands at the root goes behind what stands in the options, as far as both are there.
  read_sampling(fields, asked.request);
  read_sampling(options, asked.request);
  if (const auto window = options.integer("num_ctx", 0, 1 << 30); window && *window > 0)
    asked.request.parameters.num_ctx = static_cast<int>(*window);
  if (const auto effort = options.text("reasoning_effort"); effort && !effort->empty()) {  // as Open WebUI sends it
    asked.request.chat.think = *effort != "none";
    asked.request.chat.template_arguments["reasoning_effort"] = *effort;
  }
  for (const std::string_view hint : {"draft_num_predict", "typical", "num_gqa", "rope_frequency_base", "rope_frequency_scale"})
    options.ignore(hint, "set when the server starts");
  options.warn_of_the_rest();
}

void read_logprobs(Fields& fields, Asked& asked) {
  asked.logprobs = fields.boolean("logprobs").value_or(false);
  const json::Value* top = fields.any("top_logprobs");
  if (top == nullptr) {
    if (asked.logprobs) asked.request.top_logprobs = 0;
    return;
  }
  const std::int64_t count = top->is_int64() ? top->get_int64() : -1;
  if (count < 0 || count > 20) return fields.reading().refuse("top_logprobs", Code::bad_input, "top_logprobs must be between 0 and 20");
  if (asked.logprobs) asked.request.top_logprobs = static_cast<int>(count);
}

}  // namespace

void read_think(Fields& fields, Asked& asked) {
  const json::Value* think = fields.any("think");
  if (think == nullptr) return;
  text::Chat& chat = asked.request.chat;
  if (think->is_bool()) {
    chat.think = think->get_bool();
    asked.job.must_think = *chat.think;
    return;
  }
  constexpr std::array<std::string_view, 4> levels = {"high", "medium", "low", "max"};
  const std::string_view level = think->is_string() ? std::string_view(think->get_string()) : std::string_view();
  if (std::ranges::find(levels, level) == levels.end())
    return fields.reading().refuse(
        "think", Code::bad_input,
        fmt::format("invalid think value: \"{}\" (must be \"high\", \"medium\", \"low\", \"max\", true, or false)", level.substr(0, 64)));
  chat.think = true;
  asked.job.must_think = true;
  chat.template_arguments["reasoning_effort"] = level;
}

std::string read_model_name(Fields& fields) {
  const std::string model = fields.text("model").value_or("");
  const std::string name = fields.text("name").value_or("");
  const std::string& said = model.empty() ? name : model;
  if (said.empty()) fields.reading().refuse("model", Code::bad_input, "model is required");
  return said;
}

void read_asked(const Service& service, Fields& fields, Asked& asked) {
  asked.job.dialect = Dialect::ollama;
  asked.request.fallback = default_parameters(Defaults::ollama);
  if (!fields.has("model") || fields.text("model").value_or("").empty())
    fields.reading().refuse("model", Code::bad_input, "model is required");
  read_common(service, fields, asked.job, asked.request);
  read_options(fields, asked);
  read_thinking(fields, asked.request);
  read_think(fields, asked);
  read_form(fields, asked.request);
  read_logprobs(fields, asked);
  asked.job.stream = fields.boolean("stream").value_or(true);
  if (fields.boolean("truncate").value_or(true)) asked.request.overflow = serve::Overflow::drop_oldest;
  if (fields.boolean("shift").value_or(false))
    fields.reading().warn("shift", "ignored", "the window is not shifted: the reply ends where it is full");
  asked.job.ping_seconds = 0;  // NDJSON has no comments
}

bool cannot(Service& service, Exchange& exchange, const std::string& model, Ability ability) {
  const auto served = service.models->find(model);
  const auto facts = served != nullptr ? service.facts.of(*served) : nullptr;
  if (facts == nullptr) return false;  // loading it will tell
  const bool can = !facts->embeds && (ability != Ability::insert || facts->fills_in());
  const std::string_view word = ability == Ability::insert ? "insert" : ability == Ability::chat ? "chat" : "generate";
  if (!can) exchange.fail({Condition::cannot_do, fmt::format("{} does not support {}", json::print(json::Value(model)), word)});
  return !can;
}

void load_or_unload(Service& service, const std::shared_ptr<Exchange>& exchange, const GenerateJob& job, json::Object body) {
  body["done"] = true;
  if (job.keep_alive && *job.keep_alive == serve::KeepAlive(0)) {
    if (!service.models->unload(job.model)) return exchange->fail(unknown_model(Dialect::ollama, job.model));
    body["done_reason"] = "unload";
    return respond_json(*exchange, std::move(body), job.warnings);
  }
  with_model(service, exchange, {.model = job.model, .keep_alive = job.keep_alive, .dialect = Dialect::ollama},
             [body = std::move(body), warnings = job.warnings](const std::shared_ptr<Exchange>& asked, const serve::Lease&) mutable {
               body["done_reason"] = "load";
               respond_json(*asked, std::move(body), warnings);
             });
}

void render_only(Service& service, const std::shared_ptr<Exchange>& exchange, Asked asked) {
  const auto held = std::make_shared<Asked>(std::move(asked));  // by the work, which is copied
  with_model(service, exchange, {.model = held->job.model, .keep_alive = held->job.keep_alive, .dialect = Dialect::ollama},
             [held](const std::shared_ptr<Exchange>& from, const serve::Lease& lease) {
               const Result<serve::Prepared> prompt = serve::Session(*lease).prepare(held->request);
               if (!prompt) return from->fail(to_api_error(prompt.error()));
               respond_json(*from,
                            {{"model", held->job.model},
                             {"created_at", timestamp(std::chrono::system_clock::now())},
                             {"_debug_info", json::Object{{"rendered_template", prompt->text}, {"image_count", 0}}}},
                            held->job.warnings);
             });
}

}  // namespace qn::api::ollama
