// POST /v1/chat/completions: OpenAI's chat, with vLLM's and llama-server's further fields.
#include <utility>

#include "api/body.h"
#include "api/generate.h"
#include "api/openai/shared/messages.h"
#include "api/openai/shared/ranges.h"
#include "api/openai/shared/reply_json.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

using Kind = text::ReplyPart::Kind;

struct Shown {  // what the client wants to see
  bool usage = false, usage_always = false;
  bool reasoning = true;
  bool logprobs = false;
  bool token_ids = false;
  bool prompt_text = false;
  bool timings = false;  // on every chunk
  bool calls_content = false;
};

class ChatWriter final : public ReplyWriter {
 public:
  ChatWriter(Shown shown, std::string fingerprint) : shown_(shown), fingerprint_(std::move(fingerprint)) {}

  void begin(const Run& run, std::string& out) override {
    for (std::size_t i = 0; i < run.choices.size(); ++i) {
      json::Object delta{{"role", "assistant"}, {"content", ""}};
      write_chunk(run, choice_json(i, std::move(delta)), out);
    }
  }

  void piece(const Run& run, std::size_t choice, const serve::ReplyPiece& piece, std::string& out) override {
    // Log probabilities and ids go with the first part of the piece; alone, if its text is still held back.
    json::Value logprobs = shown_.logprobs ? openai::chat_logprobs(*run.tokenizer, piece.tokens) : json::Value(nullptr);
    const auto extras = [&](json::Object& entry) {
      entry["logprobs"] = std::exchange(logprobs, nullptr);
      if (shown_.token_ids) entry["token_ids"] = ids_of(piece.tokens);
    };
    bool first = true;
    const auto write = [&](json::Object delta) {
      json::Object entry = choice_json(choice, std::move(delta));
      if (std::exchange(first, false)) extras(entry);
      write_chunk(run, std::move(entry), out);
    };
    for (const text::ReplyPart& part : piece.parts) {
      if (part.kind == Kind::thinking && !shown_.reasoning) continue;
      json::Object delta = delta_of(part);
      if (!delta.empty()) write(std::move(delta));
    }
    const bool has_content_logprobs = shown_.logprobs && !piece.tokens.empty();
    if (first && (has_content_logprobs || (shown_.token_ids && !piece.tokens.empty()))) write({{"content", ""}});
  }

  void end_choice(const Run& run, std::size_t choice, std::string& out) override {
    json::Object entry = choice_json(choice, {});
    entry["finish_reason"] = openai::finish_reason(run.choices[choice]);
    entry["stop_reason"] = openai::stop_reason(run.choices[choice]);
    write_chunk(run, std::move(entry), out);
  }

  void end(const Run& run, std::string& out) override {
    json::Object last = chunk(run);
    if (shown_.usage || shown_.usage_always) {
      last["choices"] = json::Array();
      last["usage"] = openai::usage_json(run.usage());
      last["timings"] = timings_of(run);
      if (!run.job.warnings.empty()) last["warnings"] = to_json(run.job.warnings);
      write_event(out, std::move(last));
    } else if (!run.job.warnings.empty()) {
      last["choices"] = json::Array();
      last["warnings"] = to_json(run.job.warnings);
      write_event(out, std::move(last));
    }
    out += "data: [DONE]\n\n";
  }

  HttpResponse whole(const Run& run) override {
    json::Array choices;
    for (std::size_t i = 0; i < run.choices.size(); ++i) {
      const Choice& choice = run.choices[i];
      json::Object message{{"role", "assistant"}};
      message["content"] = choice.content.empty() && !choice.calls.empty() ? json::Value(nullptr) : json::Value(choice.content);
      if (shown_.reasoning && !choice.thinking.empty()) {
        message["reasoning_content"] = choice.thinking;
        message["reasoning"] = choice.thinking;
      }
      if (!choice.calls.empty()) {
        json::Array calls;
        for (const CallText& call : choice.calls)
          calls.push_back(json::Object{
              {"id", call.id}, {"type", "function"}, {"function", json::Object{{"name", call.name}, {"arguments", call.arguments}}}});
        message["tool_calls"] = std::move(calls);
      }
      json::Object entry{{"index", i}, {"message", std::move(message)}};
      entry["logprobs"] = shown_.logprobs ? openai::chat_logprobs(*run.tokenizer, choice.tokens) : json::Value(nullptr);
      entry["finish_reason"] = openai::finish_reason(choice);
      entry["stop_reason"] = openai::stop_reason(choice);
      if (shown_.token_ids) entry["token_ids"] = ids_of(choice.tokens);
      choices.push_back(std::move(entry));
    }
    json::Object body{{"id", id_},
                      {"object", "chat.completion"},
                      {"created", unix_time(run.began)},
                      {"model", run.model},
                      {"system_fingerprint", fingerprint_},
                      {"choices", std::move(choices)},
                      {"usage", openai::usage_json(run.usage())},
                      {"timings", timings_of(run)}};
    if (shown_.token_ids) body["prompt_token_ids"] = json::Array(run.prompts[0].tokens.begin(), run.prompts[0].tokens.end());
    if (shown_.prompt_text) body["prompt_text"] = run.prompts[0].text;
    if (!run.prompt_logprobs[0].empty()) body["prompt_logprobs"] = prompt_logprobs(run);
    if (run.prompts[0].dropped_tokens > 0)
      body["truncated"] =
          json::Object{{"dropped_messages", run.prompts[0].dropped_messages}, {"dropped_tokens", run.prompts[0].dropped_tokens}};
    if (!run.job.warnings.empty()) body["warnings"] = to_json(run.job.warnings);
    return {.body = json::print(body)};
  }

 private:
  static json::Array ids_of(std::span<const serve::ReplyToken> tokens) {
    json::Array ids;
    for (const serve::ReplyToken& token : tokens) ids.push_back(token.id);
    return ids;
  }

  // vLLM's form: a map by id for each token of the prompt, null for the first.
  static json::Array prompt_logprobs(const Run& run) {
    json::Array out{nullptr};
    for (const engine::Sampled& token : run.prompt_logprobs[0]) {
      json::Object entry;
      int rank = 1;
      const auto add = [&](TokenId id, float logprob, json::Value at) {
        entry[std::to_string(id)] =
            json::Object{{"logprob", logprob}, {"rank", std::move(at)}, {"decoded_token", run.tokenizer->decode({&id, 1}, true)}};
      };
      for (const engine::TokenLogprob& top : token.top) add(top.token, top.logprob, rank++);
      if (!entry.contains(std::to_string(token.token))) add(token.token, token.logprob, nullptr);
      out.push_back(std::move(entry));
    }
    return out;
  }

  json::Object delta_of(const text::ReplyPart& part) {
    switch (part.kind) {
      case Kind::thinking: return {{"reasoning_content", part.text}, {"reasoning", part.text}};
      case Kind::content: return {{"content", part.text}};
      case Kind::call_begin:
        return {{"tool_calls", json::Array{json::Object{{"index", part.call},
                                                        {"id", part.id},
                                                        {"type", "function"},
                                                        {"function", json::Object{{"name", part.text}, {"arguments", ""}}}}}}};
      case Kind::call_arguments:
        return {{"tool_calls", json::Array{json::Object{{"index", part.call}, {"function", json::Object{{"arguments", part.text}}}}}}};
      default: return {};
    }
  }

  static json::Object choice_json(std::size_t index, json::Object delta) {
    return {{"index", index}, {"delta", std::move(delta)}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
  }

  json::Object chunk(const Run& run) const {
    return {{"id", id_},
            {"object", "chat.completion.chunk"},
            {"created", unix_time(run.began)},
            {"model", run.model},
            {"system_fingerprint", fingerprint_}};
  }

  void write_chunk(const Run& run, json::Object choice, std::string& out) {
    json::Object event = chunk(run);
    event["choices"] = json::Array{std::move(choice)};
    if (shown_.usage_always) {
      event["usage"] = openai::usage_json(run.usage());
    } else if (shown_.usage) {
      event["usage"] = nullptr;
    }
    if (shown_.timings) event["timings"] = timings_of(run);
    write_event(out, event);
  }

  Shown shown_;
  std::string fingerprint_;
  std::string id_ = "chatcmpl-" + random_label();
};

Shown read_shown(Fields& fields, GenerateJob& job, serve::ReplyRequest& request) {
  Shown shown;
  job.stream = fields.boolean("stream").value_or(false);
  if (const json::Object* options = fields.object("stream_options")) {
    Fields inside(options, "stream_options", fields.reading());
    shown.usage = inside.boolean("include_usage").value_or(false);
    shown.usage_always = inside.boolean("continuous_usage_stats").value_or(false);
    inside.skip("include_obfuscation");
    inside.warn_of_the_rest();
  }
  shown.reasoning = fields.boolean("include_reasoning").value_or(true);
  shown.logprobs = fields.boolean("logprobs").value_or(false);
  const std::optional<std::int64_t> top = fields.integer("top_logprobs", 0, 20);
  if (shown.logprobs || top.value_or(0) > 0) {
    request.top_logprobs = static_cast<int>(top.value_or(0));
    shown.logprobs = true;
  }
  if (const auto prompt = fields.integer("prompt_logprobs", 0, 20)) {
    request.prompt_logprobs = static_cast<int>(*prompt);
    if (job.stream)
      fields.reading().refuse("prompt_logprobs", Code::bad_input, "prompt_logprobs: not offered with stream; leave one of them out");
  }
  shown.token_ids = fields.boolean("return_token_ids").value_or(false);
  shown.prompt_text = fields.boolean("return_prompt_text").value_or(false);
  shown.timings = fields.boolean("timings_per_token").value_or(false);
  fields.ignore("return_tokens_as_token_ids", "ask for return_token_ids");
  fields.ignore("return_progress", "progress is not told");
  job.ping_seconds = static_cast<int>(fields.integer("sse_ping_interval", -1, 3600).value_or(30));
  return shown;
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    serve::ReplyRequest request;
    request.fallback = default_parameters(Defaults::openai);
    openai::read_messages(fields, request);
    openai::read_tools(fields, request);
    read_sampling(fields, request);
    openai::check_ranges(fields);
    read_form(fields, request);
    read_thinking(fields, request);
    read_generation_prompt(fields, request);
    read_common(service, fields, job, request);
    const Shown shown = read_shown(fields, job, request);
    job.choices = static_cast<int>(fields.integer("n", 1, 128).value_or(1));
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request));
    generate(service, asked, std::move(job), std::make_unique<ChatWriter>(shown, openai::fingerprint(service)));
  });
}

}  // namespace

Endpoint endpoint_openai_chat_completions() {
  return {"POST", {"/v1/chat/completions", "/chat/completions"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
