// POST /v1/responses: OpenAI's newer form of a chat. A reply is a list of items: a thought, a message, calls of functions. Nothing is
// stored: each request brings the whole conversation.
#include <utility>

#include "api/body.h"
#include "api/generate.h"
#include "api/openai/shared/reply_json.h"
#include "api/openai/shared/response_request.h"
#include "api/reply_blocks.h"

namespace qn::api {
namespace {

using Block = ReplyBlocks::Block;
using openai::ResponseRequest;

constexpr std::string_view completed = "completed", incomplete = "incomplete", in_progress = "in_progress";

json::Object text_part(std::string_view text, json::Value logprobs) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", json::Array()}, {"logprobs", std::move(logprobs)}};
}

json::Object summary_part(std::string_view text) {
  return {{"type", "summary_text"}, {"text", text}};
}

json::Object usage_json(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", json::Object{{"cached_tokens", usage.cached_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", json::Object{{"reasoning_tokens", usage.thinking_tokens}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

// The item being written, or one that is whole.
struct Item {
  Block block;
  std::string id, call_id, name;
  std::string text = {};  // the thought, the message's text or the call's arguments
};

class ResponseWriter final : public ReplyWriter, private ReplyBlocks::Writer {
 public:
  explicit ResponseWriter(ResponseRequest request)
      : echo_(std::move(request.echo)), encrypted_reasoning_(request.encrypted_reasoning), logprobs_(request.logprobs) {}

  void begin(const Run& run, std::string& out) override {
    for (const std::string_view type : {"response.created", "response.in_progress"})
      write(out, type, {{"response", response(run, in_progress, {})}});
  }

  void piece(const Run&, std::size_t, const serve::ReplyPiece& piece, std::string& out) override {
    for (const text::ReplyPart& part : piece.parts) blocks_.push(part, out);
  }

  void end_choice(const Run& run, std::size_t, std::string& out) override {
    ending_ = status_of(run.choices[0]);
    if (logprobs_) final_logprobs_ = logprobs_of(run);
    blocks_.finish(out);
  }

  void end(const Run& run, std::string& out) override {
    const std::string_view status = status_of(run.choices[0]);
    write(out, status == completed ? "response.completed" : "response.incomplete",
          {{"response", response(run, status, std::move(output_))}});
  }

  HttpResponse whole(const Run& run) override {
    const Choice& choice = run.choices[0];
    const std::string_view status = status_of(choice);
    if (logprobs_) final_logprobs_ = logprobs_of(run);
    json::Array output;
    if (!choice.thinking.empty())
      output.push_back(item_json({Block::thinking, new_id(Block::thinking), {}, {}, choice.thinking}, completed));
    if (!is_blank(choice.content) || (choice.calls.empty() && !choice.content.empty()))
      output.push_back(item_json({Block::text, new_id(Block::text), {}, {}, choice.content}, choice.calls.empty() ? status : completed));
    for (const CallText& call : choice.calls)
      output.push_back(item_json({Block::call, new_id(Block::call), call.id, call.name, call.arguments}, completed));
    return {.body = json::print(response(run, status, std::move(output)))};
  }

 private:
  static std::string_view status_of(const Choice& choice) { return choice.finish == serve::Finish::stop ? completed : incomplete; }

  static std::string new_id(Block block) {
    return (block == Block::thinking ? "rs_" : block == Block::text ? "msg_" : "fc_") + random_label();
  }

  static json::Value logprobs_of(const Run& run) {
    return openai::chat_logprobs(*run.tokenizer, run.choices[0].tokens).as_object().at("content");
  }

  void write(std::string& out, std::string_view type, json::Object rest) {
    json::Object event{{"type", type}, {"sequence_number", sequence_++}};
    for (auto& entry : rest) event.insert_or_assign(entry.key(), std::move(entry.value()));
    write_event(out, std::move(event), type);
  }

  json::Object item_json(const Item& item, std::string_view status) const {
    json::Object out{{"id", item.id}};
    switch (item.block) {
      case Block::thinking:
        out["type"] = "reasoning";
        out["summary"] = item.text.empty() ? json::Array() : json::Array{summary_part(item.text)};
        if (encrypted_reasoning_) out["encrypted_content"] = "q1:" + item.id;
        break;
      case Block::text:
        out["type"] = "message";
        out["role"] = "assistant";
        out["content"] = status == in_progress ? json::Array() : json::Array{text_part(item.text, final_logprobs_)};
        break;
      case Block::call:
        out["type"] = "function_call";
        out["call_id"] = item.call_id;
        out["name"] = item.name;
        out["arguments"] = item.text;
        break;
    }
    out["status"] = status;
    return out;
  }

  json::Object response(const Run& run, std::string_view status, json::Array output) const {
    const bool over = status != in_progress;
    json::Object body{{"id", id_},
                      {"object", "response"},
                      {"created_at", unix_time(run.began)},
                      {"status", status},
                      {"background", false},
                      {"error", nullptr},
                      {"incomplete_details", status == incomplete ? json::Value(json::Object{{"reason", "max_output_tokens"}}) : nullptr},
                      {"model", run.model},
                      {"output", std::move(output)},
                      {"previous_response_id", nullptr},
                      {"service_tier", "default"},
                      {"store", false},
                      {"temperature", run.prompts[0].sampling.temperature},
                      {"top_p", run.prompts[0].sampling.top_p}};
    for (const auto& entry : echo_) body[entry.key()] = entry.value();
    body["usage"] = over ? json::Value(usage_json(run.usage())) : nullptr;
    if (over && !run.job.warnings.empty()) body["warnings"] = to_json(run.job.warnings);
    return body;
  }

  // Where an event belongs: the item, and the part of it.
  json::Object place(json::Object rest) const {
    json::Object out{{"item_id", item_.id}, {"output_index", output_.size()}};
    if (item_.block == Block::thinking) out["summary_index"] = 0;
    if (item_.block == Block::text) out["content_index"] = 0;
    for (auto& entry : rest) out.insert_or_assign(entry.key(), std::move(entry.value()));
    return out;
  }

  void open(Block block, const text::ReplyPart& begin, std::string& out) override {
    item_ = {block, new_id(block), begin.id, block == Block::call ? begin.text : ""};
    write(out, "response.output_item.added", {{"output_index", output_.size()}, {"item", item_json(item_, in_progress)}});
    if (block == Block::thinking) write(out, "response.reasoning_summary_part.added", place({{"part", summary_part("")}}));
    if (block == Block::text) write(out, "response.content_part.added", place({{"part", text_part("", json::Array())}}));
  }

  void more(Block block, std::string_view text, std::string& out) override {
    item_.text += text;
    switch (block) {
      case Block::thinking: return write(out, "response.reasoning_summary_text.delta", place({{"delta", text}}));
      case Block::text: return write(out, "response.output_text.delta", place({{"delta", text}, {"logprobs", json::Array()}}));
      case Block::call: return write(out, "response.function_call_arguments.delta", place({{"delta", text}}));
    }
  }

  void close(Block block, std::string& out) override {
    switch (block) {
      case Block::thinking:
        write(out, "response.reasoning_summary_text.done", place({{"text", item_.text}}));
        write(out, "response.reasoning_summary_part.done", place({{"part", summary_part(item_.text)}}));
        break;
      case Block::text:
        write(out, "response.output_text.done", place({{"text", item_.text}, {"logprobs", final_logprobs_}}));
        write(out, "response.content_part.done", place({{"part", text_part(item_.text, final_logprobs_)}}));
        break;
      case Block::call:
        write(out, "response.function_call_arguments.done", place({{"arguments", item_.text}, {"name", item_.name}}));
        break;
    }
    json::Object item = item_json(item_, ending_);
    write(out, "response.output_item.done", {{"output_index", output_.size()}, {"item", item}});
    output_.push_back(std::move(item));
  }

  const json::Object echo_;
  const bool encrypted_reasoning_, logprobs_;
  const std::string id_ = "resp_" + random_label();
  ReplyBlocks blocks_{*this};
  Item item_{Block::text, {}, {}, {}};
  json::Array output_;                          // items that are whole
  json::Value final_logprobs_ = json::Array();  // of the message, once it is over
  std::string_view ending_ = completed;         // of the item that ends with the reply
  int sequence_ = 0;
};

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    job.dialect = Dialect::responses;
    ResponseRequest request = openai::read_response_request(fields);
    read_common(service, fields, job, request.reply);
    job.stream = fields.boolean("stream").value_or(false);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request.reply));
    generate(service, asked, std::move(job), std::make_unique<ResponseWriter>(std::move(request)));
  });
}

}  // namespace

Endpoint endpoint_openai_responses() {
  return {"POST", {"/v1/responses", "/responses"}, Scope::infer, Dialect::responses, handle};
}

}  // namespace qn::api
