// POST /v1/messages: Anthropic's chat. A reply is a list of blocks: a thought, text, uses of tools; in a stream one begins when the last
// has ended.
#include <algorithm>
#include <limits>
#include <utility>

#include "api/anthropic/shared/reply.h"
#include "api/anthropic/shared/request.h"
#include "api/body.h"
#include "api/generate.h"
#include "api/reply_blocks.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

using anthropic::ShowThinking;
using Block = ReplyBlocks::Block;

struct Shown {
  ShowThinking thinking = ShowThinking::yes;
  bool nothing = false;  // max_tokens 0: the prompt is computed and kept, and that is all
};

class MessageWriter final : public ReplyWriter, private ReplyBlocks::Writer {
 public:
  explicit MessageWriter(Shown shown) : shown_(shown) {}

  std::string_view ping() const override { return "event: ping\ndata: {\"type\":\"ping\"}\n\n"; }

  void begin(const Run& run, std::string& out) override {
    json::Object message = head(run);
    message["content"] = json::Array();
    message["stop_reason"] = nullptr;
    message["stop_sequence"] = nullptr;
    message["usage"] = anthropic::usage_json(run.usage());
    write(out, "message_start", {{"message", std::move(message)}});
    out += ping();
  }

  void piece(const Run&, std::size_t, const serve::ReplyPiece& piece, std::string& out) override {
    if (shown_.nothing) return;
    for (const text::ReplyPart& part : piece.parts) blocks_.push(part, out);
  }

  void end_choice(const Run&, std::size_t, std::string& out) override { blocks_.finish(out); }

  void end(const Run& run, std::string& out) override {
    const Choice& choice = run.choices[0];
    json::Object event{{"delta", json::Object{{"stop_reason", stop_reason(choice)}, {"stop_sequence", anthropic::stop_sequence(choice)}}},
                       {"usage", usage(run)}};
    if (!run.job.warnings.empty()) event["warnings"] = to_json(run.job.warnings);
    write(out, "message_delta", std::move(event));
    write(out, "message_stop", {});
  }

  HttpResponse whole(const Run& run) override {
    const Choice& choice = run.choices[0];
    json::Array content;
    if (!shown_.nothing) {
      if (!choice.thinking.empty()) content.push_back(thinking_block(choice.thinking, anthropic::signature()));
      if (!is_blank(choice.content) || (choice.calls.empty() && !choice.content.empty()))
        content.push_back(json::Object{{"type", "text"}, {"text", choice.content}});
      for (const CallText& call : choice.calls) {
        json::Object block = tool_block(call.id, call.name);
        if (Result<json::Value> input = json::parse(call.arguments); input && input->is_object()) block["input"] = *std::move(input);
        content.push_back(std::move(block));
      }
    }
    json::Object body = head(run);
    body["content"] = std::move(content);
    body["stop_reason"] = stop_reason(choice);
    body["stop_sequence"] = anthropic::stop_sequence(choice);
    body["usage"] = usage(run);
    if (!run.job.warnings.empty()) body["warnings"] = to_json(run.job.warnings);
    return {.body = json::print(body)};
  }

 private:
  static void write(std::string& out, std::string_view name, json::Object rest) {
    json::Object event{{"type", name}};
    for (auto& entry : rest) event.insert_or_assign(entry.key(), std::move(entry.value()));
    write_event(out, std::move(event), name);
  }

  json::Object head(const Run& run) const { return {{"id", id_}, {"type", "message"}, {"role", "assistant"}, {"model", run.model}}; }

  std::string_view stop_reason(const Choice& choice) const { return shown_.nothing ? "max_tokens" : anthropic::stop_reason(choice); }

  json::Object usage(const Run& run) const {
    Usage usage = run.usage();
    if (shown_.nothing) usage.completion_tokens = 0;
    return anthropic::usage_json(usage);
  }

  json::Object thinking_block(std::string_view text, std::string_view signature) const {
    return {{"type", "thinking"}, {"thinking", shown_.thinking == ShowThinking::yes ? text : std::string_view()}, {"signature", signature}};
  }

  static json::Object tool_block(std::string_view id, std::string_view name) {
    return {{"type", "tool_use"}, {"id", anthropic::tool_use_id(id)}, {"name", name}, {"input", json::Object()}};
  }

  void open(Block block, const text::ReplyPart& begin, std::string& out) override {
    index_ += 1;
    json::Object content = block == Block::thinking ? thinking_block("", "")
                           : block == Block::text   ? json::Object{{"type", "text"}, {"text", ""}}
                                                    : tool_block(begin.id, begin.text);
    write(out, "content_block_start", {{"index", index_}, {"content_block", std::move(content)}});
  }

  void more(Block block, std::string_view text, std::string& out) override {
    if (block == Block::call) return delta({{"type", "input_json_delta"}, {"partial_json", text}}, out);
    if (block == Block::text) return delta({{"type", "text_delta"}, {"text", text}}, out);
    if (shown_.thinking == ShowThinking::yes) delta({{"type", "thinking_delta"}, {"thinking", text}}, out);
  }

  void close(Block block, std::string& out) override {
    if (block == Block::thinking) delta({{"type", "signature_delta"}, {"signature", anthropic::signature()}}, out);
    write(out, "content_block_stop", {{"index", index_}});
  }

  void delta(json::Object delta, std::string& out) { write(out, "content_block_delta", {{"index", index_}, {"delta", std::move(delta)}}); }

  const Shown shown_;
  const std::string id_ = "msg_" + random_label();
  ReplyBlocks blocks_{*this};
  int index_ = -1;  // of the last block begun
};

void read_limit(Fields& fields, serve::ReplyRequest& request, Shown& shown) {
  const std::optional<std::int64_t> limit = fields.integer("max_tokens", 0, std::numeric_limits<int>::max());
  if (!limit && !fields.reading().error)
    return fields.reading().refuse("max_tokens", Code::bad_input, "max_tokens is required and must be positive");
  shown.nothing = limit == 0;
  request.parameters.num_predict = static_cast<int>(std::max<std::int64_t>(limit.value_or(1), 1));
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    job.dialect = Dialect::anthropic;
    serve::ReplyRequest request;
    Shown shown;
    request.fallback = default_parameters(Defaults::openai);
    fields.require("model");
    read_limit(fields, request, shown);
    anthropic::read_chat(fields, request);
    anthropic::read_tools(fields, request);
    shown.thinking = anthropic::read_output(fields, request);
    read_sampling(fields, request);
    read_common(service, fields, job, request);
    job.stream = fields.boolean("stream").value_or(false);
    fields.skip("cache_control");
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request));
    generate(service, asked, std::move(job), std::make_unique<MessageWriter>(shown));
  });
}

}  // namespace

Endpoint endpoint_anthropic_messages() {
  return {"POST", {"/v1/messages"}, Scope::infer, Dialect::anthropic, handle};
}

}  // namespace qn::api
