// POST /v1/completions: OpenAI's legacy completions. The prompt is text or token ids, one or many; nothing is wrapped around it.
#include <utility>

#include "api/body.h"
#include "api/generate.h"
#include "api/openai/shared/ranges.h"
#include "api/openai/shared/reply_json.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

struct Shown {
  bool usage = false, usage_always = false;
  bool echo = false;
  bool no_reply = false;  // max_tokens 0: only the prompt is scored
  std::optional<int> logprobs;
  bool token_ids = false;
};

// OpenAI's legacy form of log probabilities: parallel lists.
class LogprobLists {
 public:
  LogprobLists(const text::Tokenizer& tokenizer, std::size_t offset) : tokenizer_(tokenizer), offset_(offset) {}

  void add(TokenId token, std::optional<float> logprob, std::span<const engine::TokenLogprob> top) {
    const std::string text = tokenizer_.decode({&token, 1}, true);
    tokens_.push_back(json::Value(text));
    logprobs_.push_back(logprob ? json::Value(static_cast<double>(*logprob)) : json::Value(nullptr));
    offsets_.push_back(offset_);
    offset_ += text.size();
    if (!logprob) {
      top_.push_back(nullptr);
      return;
    }
    json::Object best;
    for (const engine::TokenLogprob& other : top) best[tokenizer_.decode({&other.token, 1}, true)] = static_cast<double>(other.logprob);
    best[text] = static_cast<double>(*logprob);
    top_.push_back(std::move(best));
  }

  json::Object json() && {
    return {{"tokens", std::move(tokens_)},
            {"token_logprobs", std::move(logprobs_)},
            {"top_logprobs", std::move(top_)},
            {"text_offset", std::move(offsets_)}};
  }

 private:
  const text::Tokenizer& tokenizer_;
  std::size_t offset_;
  json::Array tokens_, logprobs_, top_, offsets_;
};

class CompletionWriter final : public ReplyWriter {
 public:
  CompletionWriter(Shown shown, std::string fingerprint) : shown_(shown), fingerprint_(std::move(fingerprint)) {}

  void begin(const Run& run, std::string& out) override {
    shown_bytes_.resize(run.choices.size());
    if (!shown_.echo) return;
    for (std::size_t i = 0; i < run.choices.size(); ++i) write_chunk(run, i, prompt_of(run, i), {}, out);
  }

  void piece(const Run& run, std::size_t choice, const serve::ReplyPiece& piece, std::string& out) override {
    if (shown_.no_reply) return;
    const std::string text = piece.content();
    if (text.empty() && !(shown_.logprobs && !piece.tokens.empty())) return;
    write_chunk(run, choice, text, piece.tokens, out);
  }

  void end_choice(const Run& run, std::size_t choice, std::string& out) override {
    json::Object entry{{"index", choice}, {"text", ""}, {"logprobs", nullptr}};
    entry["finish_reason"] = openai::finish_reason(run.choices[choice]);
    entry["stop_reason"] = openai::stop_reason(run.choices[choice]);
    write(run, std::move(entry), out);
  }

  void end(const Run& run, std::string& out) override {
    if (shown_.usage || shown_.usage_always || !run.job.warnings.empty()) {
      json::Object last = head(run);
      last["choices"] = json::Array();
      if (shown_.usage || shown_.usage_always) last["usage"] = openai::usage_json(usage_of(run));
      if (!run.job.warnings.empty()) last["warnings"] = to_json(run.job.warnings);
      write_event(out, last);
    }
    out += "data: [DONE]\n\n";
  }

  HttpResponse whole(const Run& run) override {
    json::Array choices;
    for (std::size_t i = 0; i < run.choices.size(); ++i) {
      const Choice& choice = run.choices[i];
      std::string text = shown_.echo ? prompt_of(run, i) : "";
      if (!shown_.no_reply) text += choice.content;
      json::Object entry{{"index", i}, {"text", std::move(text)}, {"logprobs", nullptr}};
      if (shown_.logprobs) entry["logprobs"] = logprobs_of(run, i);
      entry["finish_reason"] = openai::finish_reason(choice);
      entry["stop_reason"] = openai::stop_reason(choice);
      if (shown_.token_ids) {
        json::Array ids;
        for (const serve::ReplyToken& token : choice.tokens) ids.push_back(token.id);
        entry["token_ids"] = std::move(ids);
        entry["prompt_token_ids"] = json::Array(prompt(run, i).tokens.begin(), prompt(run, i).tokens.end());
      }
      choices.push_back(std::move(entry));
    }
    json::Object body = head(run);
    body["choices"] = std::move(choices);
    body["usage"] = openai::usage_json(usage_of(run));
    body["timings"] = timings_of(run);
    if (!run.job.warnings.empty()) body["warnings"] = to_json(run.job.warnings);
    return {.body = json::print(body)};
  }

 private:
  static const serve::Prepared& prompt(const Run& run, std::size_t choice) {
    return run.prompts[choice * run.prompts.size() / run.choices.size()];
  }
  static std::string prompt_of(const Run& run, std::size_t choice) {
    const serve::Prepared& asked = prompt(run, choice);
    return asked.text.empty() ? run.tokenizer->decode(asked.tokens, true) : asked.text;
  }

  Usage usage_of(const Run& run) const {
    Usage usage = run.usage();
    if (shown_.no_reply) usage.completion_tokens = 0;
    return usage;
  }

  json::Object logprobs_of(const Run& run, std::size_t i) const {
    const std::size_t p = i * run.prompts.size() / run.choices.size();
    LogprobLists lists(*run.tokenizer, 0);
    if (shown_.echo) {
      const std::vector<TokenId>& tokens = run.prompts[p].tokens;
      const std::vector<engine::Sampled>& scored = run.prompt_logprobs[p];
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        if (t == 0 || t > scored.size()) {
          lists.add(tokens[t], std::nullopt, {});
        } else {
          lists.add(tokens[t], scored[t - 1].logprob, scored[t - 1].top);
        }
      }
    }
    if (!shown_.no_reply)
      for (const serve::ReplyToken& token : run.choices[i].tokens) lists.add(token.id, token.logprob, token.top);
    return std::move(lists).json();
  }

  json::Object head(const Run& run) const {
    return {{"id", id_},
            {"object", "text_completion"},
            {"created", unix_time(run.began)},
            {"model", run.model},
            {"system_fingerprint", fingerprint_}};
  }

  void write_chunk(const Run& run, std::size_t choice, const std::string& text, std::span<const serve::ReplyToken> tokens,
                   std::string& out) {
    json::Object entry{{"index", choice}, {"text", text}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
    if (shown_.logprobs && !tokens.empty()) {
      LogprobLists lists(*run.tokenizer, shown_bytes_[choice]);
      for (const serve::ReplyToken& token : tokens) lists.add(token.id, token.logprob, token.top);
      entry["logprobs"] = std::move(lists).json();
    }
    if (shown_.token_ids) {
      json::Array ids;
      for (const serve::ReplyToken& token : tokens) ids.push_back(token.id);
      entry["token_ids"] = std::move(ids);
    }
    shown_bytes_[choice] += text.size();
    write(run, std::move(entry), out);
  }

  void write(const Run& run, json::Object choice, std::string& out) {
    json::Object event = head(run);
    event["choices"] = json::Array{std::move(choice)};
    if (shown_.usage_always) {
      event["usage"] = openai::usage_json(usage_of(run));
    } else if (shown_.usage) {
      event["usage"] = nullptr;
    }
    write_event(out, event);
  }

  Shown shown_;
  std::string fingerprint_;
  std::string id_ = "cmpl-" + random_label();
  std::vector<std::size_t> shown_bytes_;
};

// "text", [ids], ["text", …] or [[ids], …].
void read_prompts(Fields& fields, const serve::ReplyRequest& like, GenerateJob& job) {
  fields.require("prompt");
  const json::Value* prompt = fields.any("prompt");
  if (prompt == nullptr) return;
  Reading& reading = fields.reading();
  const auto wrong = [&] { reading.refuse("prompt", Code::bad_input, "prompt: give a string, a list of token ids, or a list of either"); };
  const auto add = [&](auto raw) {
    serve::ReplyRequest request = like;
    request.raw_prompt = std::move(raw);
    job.prompts.push_back(std::move(request));
  };
  const auto add_ids = [&](const json::Array& ids) {
    std::vector<TokenId> tokens;
    for (const json::Value& id : ids) {
      if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > std::numeric_limits<TokenId>::max()) return wrong();
      tokens.push_back(static_cast<TokenId>(id.get_int64()));
    }
    if (tokens.empty()) return wrong();
    add(std::move(tokens));
  };
  if (prompt->is_string()) return add(serve::RawText{std::string(prompt->get_string())});
  if (!prompt->is_array() || prompt->get_array().empty()) return wrong();
  const json::Array& list = prompt->get_array();
  if (!list[0].is_string() && !list[0].is_array()) return add_ids(list);
  constexpr std::size_t most = 1024;
  if (list.size() > most)
    return reading.refuse("prompt", Code::too_large, fmt::format("prompt: {} prompts, at most {}; send fewer", list.size(), most));
  for (const json::Value& entry : list) {
    if (entry.is_string()) {
      add(serve::RawText{std::string(entry.get_string())});
    } else if (entry.is_array()) {
      add_ids(entry.get_array());
    } else {
      return wrong();
    }
  }
}

// What comes before `suffix` is written.
void fill_in(Fields& fields, const std::string& suffix, GenerateJob& job) {
  for (serve::ReplyRequest& request : job.prompts) {
    const auto* text = std::get_if<serve::RawText>(&request.raw_prompt);
    if (text == nullptr) return fields.reading().refuse("suffix", Code::bad_input, "suffix: the prompt is tokens; give it as text");
    request.raw_prompt = serve::FillIn{.prefix = text->text, .suffix = suffix};
  }
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    serve::ReplyRequest request;
    Shown shown;
    request.fallback = default_parameters(Defaults::openai);
    // Only here a reply of no token may be asked for: the prompt's log probabilities are wanted.
    shown.echo = fields.boolean("echo").value_or(false);
    const json::Value* limit = body.if_contains("max_tokens");
    shown.no_reply = shown.echo && limit != nullptr && limit->is_int64() && limit->get_int64() == 0;
    read_sampling(fields, request);
    openai::check_ranges(fields);
    read_form(fields, request);
    read_common(service, fields, job, request);
    if (!request.parameters.num_predict) request.parameters.num_predict = 16;
    if (shown.no_reply) request.parameters.num_predict = 1;
    if (request.parameters.num_predict == 0)
      reading.refuse("max_tokens", Code::bad_input, "max_tokens: 0 makes sense only with echo; give at least 1");
    job.stream = fields.boolean("stream").value_or(false);
    if (const json::Object* options = fields.object("stream_options")) {
      Fields inside(options, "stream_options", reading);
      shown.usage = inside.boolean("include_usage").value_or(false);
      shown.usage_always = inside.boolean("continuous_usage_stats").value_or(false);
      inside.warn_of_the_rest();
    }
    if (const auto count = fields.integer("logprobs", 0, 20)) shown.logprobs = static_cast<int>(*count);
    request.top_logprobs = shown.logprobs;
    if (shown.echo && shown.logprobs) request.prompt_logprobs = shown.logprobs;
    if (const auto count = fields.integer("prompt_logprobs", 0, 20)) request.prompt_logprobs = static_cast<int>(*count);
    if (job.stream && request.prompt_logprobs)
      reading.refuse("stream", Code::bad_input, "stream: log probabilities of the prompt come whole; leave stream or echo out");
    shown.token_ids = fields.boolean("return_token_ids").value_or(false);
    job.choices = static_cast<int>(fields.integer("n", 1, 128).value_or(1));
    job.best_of = static_cast<int>(fields.integer("best_of", 1, 128).value_or(job.choices));
    if (job.best_of < job.choices) reading.refuse("best_of", Code::bad_input, "best_of: less than n; give at least n");
    if (job.best_of > job.choices && job.stream)
      reading.refuse("best_of", Code::bad_input, "best_of: not offered with stream; leave one of them out");
    if (job.best_of > job.choices && !request.top_logprobs) request.top_logprobs = 0;
    const std::string suffix = fields.text("suffix").value_or("");
    job.ping_seconds = static_cast<int>(fields.integer("sse_ping_interval", -1, 3600).value_or(30));
    read_prompts(fields, request, job);
    if (!suffix.empty()) fill_in(fields, suffix, job);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    generate(service, asked, std::move(job), std::make_unique<CompletionWriter>(shown, openai::fingerprint(service)));
  });
}

}  // namespace

Endpoint endpoint_openai_completions() {
  return {"POST", {"/v1/completions"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
