#include "api/ollama/shared/reply.h"

#include <utility>

#include "api/openai/shared/reply_json.h"

namespace qn::api::ollama {
namespace {

using Kind = text::ReplyPart::Kind;

constexpr std::size_t longest_context = 6000;  // ids: a line stays below 64 KiB

json::Value object_of(const std::string& arguments) {
  Result<json::Value> parsed = json::parse(arguments);
  if (parsed && parsed->is_object()) return *std::move(parsed);
  return json::Object{{"arguments", arguments}};  // JSON by its grammar, but with a key twice
}

json::Object call_json(const CallText& call, std::size_t index) {
  return {{"id", call.id}, {"function", json::Object{{"index", index}, {"name", call.name}, {"arguments", object_of(call.arguments)}}}};
}

class Writer final : public ReplyWriter {
 public:
  explicit Writer(const ReplyShape& shape) : shape_(shape) {}

  std::string_view stream_type() const override { return "application/x-ndjson"; }
  std::string_view ping() const override { return {}; }

  void piece(const Run& run, std::size_t choice, const serve::ReplyPiece& piece, std::string& out) override {
    if (shape_.logprobs) add_logprobs(run, piece.tokens, logprobs_);
    for (const text::ReplyPart& part : piece.parts) {
      switch (part.kind) {
        case Kind::thinking: write(run, "", part.text, {}, out); break;
        case Kind::content:
        case Kind::call_broken: write(run, part.text, "", {}, out); break;
        case Kind::call_begin:
        case Kind::call_arguments: break;
        case Kind::call_end: {
          // Whole, though it came in pieces: that is all that Ollama's clients know. `calls` already has all calls of this piece.
          const std::vector<CallText>& calls = run.choices[choice].calls;
          if (told_ < calls.size()) write(run, "", "", {call_json(calls[told_], told_)}, out);
          ++told_;
          break;
        }
      }
    }
  }

  void end_choice(const Run&, std::size_t, std::string&) override {}

  void end(const Run& run, std::string& out) override {
    json::Object line = head(run);
    put(line, "", "", {});
    finish(run, line);
    add_line(line, out);
  }

  HttpResponse whole(const Run& run) override {
    const Choice& choice = run.choices[0];
    json::Object body = head(run);
    json::Array calls;
    for (std::size_t i = 0; i < choice.calls.size(); ++i) calls.push_back(call_json(choice.calls[i], i));
    put(body, choice.content, choice.thinking, std::move(calls));
    if (shape_.logprobs) {
      add_logprobs(run, choice.tokens, logprobs_);
      body["logprobs"] = std::move(logprobs_);
      logprobs_ = {};
    }
    finish(run, body);
    return {.content_type = "application/json; charset=utf-8", .body = json::print(body)};
  }

 private:
  static json::Object head(const Run& run) {
    return {{"model", run.job.model.empty() ? run.model : run.job.model}, {"created_at", timestamp(std::chrono::system_clock::now())}};
  }

  void put(json::Object& line, std::string_view content, std::string_view thinking, json::Array calls) const {
    json::Object message;
    json::Object& target = shape_.is_chat ? message : line;
    if (shape_.is_chat) message["role"] = "assistant";
    target[shape_.is_chat ? "content" : "response"] = content;
    if (!thinking.empty()) target["thinking"] = thinking;
    if (!calls.empty()) target["tool_calls"] = std::move(calls);
    if (shape_.is_chat) line["message"] = std::move(message);
  }

  void write(const Run& run, std::string_view content, std::string_view thinking, json::Array calls, std::string& out) {
    json::Object line = head(run);
    put(line, content, thinking, std::move(calls));
    line["done"] = false;
    if (!logprobs_.empty()) line["logprobs"] = std::exchange(logprobs_, {});
    add_line(line, out);
  }

  static void add_line(const json::Object& line, std::string& out) { out.append(json::print(line)).append("\n"); }

  static void add_logprobs(const Run& run, std::span<const serve::ReplyToken> tokens, json::Array& out) {
    for (const serve::ReplyToken& token : tokens) {
      json::Object entry = openai::token_json(*run.tokenizer, token.id, static_cast<double>(token.logprob));
      if (!token.top.empty()) {
        json::Array top;
        for (const engine::TokenLogprob& other : token.top)
          top.push_back(openai::token_json(*run.tokenizer, other.token, static_cast<double>(other.logprob)));
        entry["top_logprobs"] = std::move(top);
      }
      out.push_back(std::move(entry));
    }
  }

  void finish(const Run& run, json::Object& line) const {
    const Choice& choice = run.choices[0];
    const Usage usage = run.usage();
    const serve::Prepared& prompt = run.prompts[0];
    line["done"] = true;
    line["done_reason"] = choice.finish == serve::Finish::stop ? "stop" : "length";
    if (shape_.has_context && prompt.tokens.size() + choice.tokens.size() <= longest_context) {
      json::Array context(prompt.tokens.begin(), prompt.tokens.end());
      for (const serve::ReplyToken& token : choice.tokens) context.push_back(token.id);
      line["context"] = std::move(context);
    }
    line["total_duration"] = run.total.count();
    line["load_duration"] = run.load_time.count();
    line["prompt_eval_count"] = usage.prompt_tokens;
    line["prompt_eval_duration"] = choice.stats.prompt_eval.count();
    line["eval_count"] = usage.completion_tokens;
    line["eval_duration"] = choice.stats.eval.count();
    if (usage.cached_tokens > 0) line["cached_tokens"] = usage.cached_tokens;
    if (usage.thinking_tokens > 0) line["thinking_tokens"] = usage.thinking_tokens;
    if (prompt.dropped_tokens > 0)
      line["truncated"] = json::Object{{"dropped_messages", prompt.dropped_messages}, {"dropped_tokens", prompt.dropped_tokens}};
    if (!run.job.warnings.empty()) line["warnings"] = to_json(run.job.warnings);
  }

  ReplyShape shape_;
  json::Array logprobs_;  // of tokens whose text is still held back: a line without text would end a chat in some clients
  std::size_t told_ = 0;  // calls
};

}  // namespace

std::string timestamp(std::time_t seconds, std::int64_t nanoseconds) {
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                     utc.tm_sec, nanoseconds);
}

std::string timestamp(std::chrono::system_clock::time_point time) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);
  return timestamp(static_cast<std::time_t>(whole.count()), (since - whole).count());
}

std::unique_ptr<ReplyWriter> reply_writer(const ReplyShape& shape) {
  return std::make_unique<Writer>(shape);
}

}  // namespace qn::api::ollama
