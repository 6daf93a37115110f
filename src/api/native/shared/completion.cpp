#include "api/native/shared/completion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/native/shared/settings_json.h"
#include "api/sampling_fields.h"
#include "base/utf8.h"

namespace qn::api::native {
namespace {

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// Of one reply; timings_of() tells of all that a request asked for.
json::Object timings_json(const serve::ReplyStats& stats) {
  const int computed = stats.prompt_tokens - stats.cached_tokens;
  const double prompt_ms = milliseconds(stats.prompt_eval), reply_ms = milliseconds(stats.eval);
  const auto each = [](double ms, int count) { return count > 0 ? ms / count : 0.0; };
  const auto rate = [](double ms, int count) { return ms > 0 ? count * 1000 / ms : 0.0; };
  json::Object out{{"cache_n", stats.cached_tokens},
                   {"prompt_n", computed},
                   {"prompt_ms", prompt_ms},
                   {"prompt_per_token_ms", each(prompt_ms, computed)},
                   {"prompt_per_second", rate(prompt_ms, computed)},
                   {"predicted_n", stats.reply_tokens},
                   {"predicted_ms", reply_ms},
                   {"predicted_per_token_ms", each(reply_ms, stats.reply_tokens)},
                   {"predicted_per_second", rate(reply_ms, stats.reply_tokens)}};
  if (stats.drafted_tokens > 0) {
    out["draft_n"] = stats.drafted_tokens;
    out["draft_n_accepted"] = stats.accepted_tokens;
  }
  return out;
}

std::string_view stop_type(const Choice& choice) {
  if (choice.finish == serve::Finish::stop) return choice.stop_text ? "word" : "eos";
  return choice.finish == serve::Finish::running ? "none" : "limit";
}

// A copy with the fields that were asked for: "a/b/c" becomes c.
json::Object only(const json::Object& all, const std::vector<std::string>& names) {
  json::Object out;
  for (const std::string& name : names) {
    const json::Object* inside = &all;
    std::string_view rest = name;
    while (inside != nullptr) {
      const std::size_t slash = rest.find('/');
      const json::Value* value = inside->if_contains(rest.substr(0, slash));
      if (value == nullptr) break;
      if (slash == std::string_view::npos) {
        out[rest] = *value;
        break;
      }
      inside = value->if_object();
      rest.remove_prefix(slash + 1);
    }
  }
  return out;
}

class CompletionWriter final : public ReplyWriter {
 public:
  explicit CompletionWriter(CompletionShown shown) : shown_(std::move(shown)) {}

  void piece(const Run& run, std::size_t choice, const serve::ReplyPiece& piece, std::string& out) override {
    if (shown_.no_reply) return;
    const std::string content = piece.content();
    if (content.empty() && piece.tokens.empty()) return;
    json::Object event{
        {"index", choice}, {"content", content}, {"tokens", ids_of(piece.tokens)}, {"stop", false}, {"id_slot", slot_of(choice)}};
    add_counts(run, choice, event);
    if (shown_.timings) event["timings"] = timings_json(run.choices[choice].stats);
    if (shown_.probabilities) event["completion_probabilities"] = probabilities(run, piece.tokens);
    write_event(out, event);
  }

  void end_choice(const Run& run, std::size_t choice, std::string& out) override {
    json::Object event = last(run, choice, Text::left_out);
    if (choice + 1 == run.choices.size() && !run.job.warnings.empty()) event["warnings"] = to_json(run.job.warnings);
    write_event(out, event);
  }

  void end(const Run&, std::string&) override {}  // there is no [DONE]

  HttpResponse whole(const Run& run) override {
    json::Array list;
    for (std::size_t i = 0; i < run.choices.size(); ++i) {
      json::Object entry = last(run, i, Text::all);
      if (!run.job.warnings.empty()) entry["warnings"] = to_json(run.job.warnings);
      list.push_back(std::move(entry));
    }
    if (shown_.list) return {.body = json::print(list)};
    return {.body = json::print(list.at(0))};
  }

 private:
  enum class Text { all, left_out };  // a stream has told it

  static json::Array ids_of(std::span<const serve::ReplyToken> tokens) {
    json::Array ids;
    for (const serve::ReplyToken& token : tokens) ids.push_back(token.id);
    return ids;
  }

  static std::size_t prompt_of(const Run& run, std::size_t choice) { return choice * run.prompts.size() / run.choices.size(); }
  static int slot_of(std::size_t choice) { return static_cast<int>(choice); }

  void add_counts(const Run& run, std::size_t choice, json::Object& out) const {
    out["tokens_predicted"] = shown_.no_reply ? 0 : run.choices[choice].stats.reply_tokens;
    out["tokens_evaluated"] = run.prompts[prompt_of(run, choice)].tokens.size();
  }

  json::Object last(const Run& run, std::size_t i, Text text) const {
    const Choice& choice = run.choices[i];
    const serve::Prepared& prompt = run.prompts[prompt_of(run, i)];
    const bool shows = text == Text::all && !shown_.no_reply;
    json::Object out{{"index", i},
                     {"content", shows ? json::Value(choice.content) : json::Value("")},
                     {"tokens", shows && shown_.tokens ? ids_of(choice.tokens) : json::Array()},
                     {"id_slot", slot_of(i)},
                     {"stop", true},
                     {"model", run.model}};
    add_counts(run, i, out);
    out["generation_settings"] = settings_json(prompt.sampling, run.job.prompts[prompt_of(run, i)], run.job.stream);
    out["prompt"] = prompt.text.empty() ? run.tokenizer->decode(prompt.tokens, true) : prompt.text;
    out["has_new_line"] = choice.content.find('\n') != std::string::npos;
    out["truncated"] = prompt.dropped_tokens > 0;
    out["stop_type"] = stop_type(choice);
    out["stopping_word"] = choice.stop_text.value_or("");
    out["tokens_cached"] = choice.stats.prompt_tokens + std::max(choice.stats.reply_tokens - 1, 0);
    out["timings"] = timings_json(choice.stats);
    if (shown_.probabilities && shows) out["completion_probabilities"] = probabilities(run, choice.tokens);
    return shown_.fields.empty() ? out : only(out, shown_.fields);
  }

  json::Object token_json(const Run& run, TokenId id, float logprob) const {
    const text::Tokenizer& tokenizer = *run.tokenizer;
    const bool known = id >= 0 && id < tokenizer.vocab_size();
    const std::string_view bytes = !known                     ? std::string_view()
                                   : tokenizer.is_special(id) ? tokenizer.special_text(id)
                                                              : tokenizer.bytes_of(id);
    json::Array list;
    for (const char byte : bytes) list.push_back(static_cast<std::int64_t>(static_cast<unsigned char>(byte)));
    json::Object out{{"id", id}, {"token", utf8::replace_invalid(bytes)}, {"bytes", std::move(list)}};
    if (shown_.after_sampling) {
      out["prob"] = std::exp(static_cast<double>(logprob));
    } else {
      out["logprob"] = static_cast<double>(logprob);
    }
    return out;
  }

  json::Array probabilities(const Run& run, std::span<const serve::ReplyToken> tokens) const {
    json::Array out;
    for (const serve::ReplyToken& token : tokens) {
      json::Object entry = token_json(run, token.id, token.logprob);
      json::Array top;
      for (const engine::TokenLogprob& other : token.top) top.push_back(token_json(run, other.token, other.logprob));
      entry[shown_.after_sampling ? "top_probs" : "top_logprobs"] = std::move(top);
      out.push_back(std::move(entry));
    }
    return out;
  }

  CompletionShown shown_;
};

}  // namespace

void read_completion(const Service& service, Fields& fields, GenerateJob& job, serve::ReplyRequest& request, CompletionShown& shown) {
  Reading& reading = fields.reading();
  job.dialect = Dialect::native;
  request.fallback = default_parameters(Defaults::native);
  read_sampling(fields, request);
  read_form(fields, request);
  read_common(service, fields, job, request);
  shown.no_reply = request.parameters.num_predict == 0;
  if (shown.no_reply) request.parameters.num_predict = 1;  // the prompt has been read when its first token comes
  job.stream = fields.boolean("stream").value_or(false);
  job.ping_seconds = static_cast<int>(fields.integer("sse_ping_interval", -1, 3600).value_or(30));
  job.choices = static_cast<int>(fields.integer("n_cmpl", 1, 128).value_or(fields.integer("n", 1, 128).value_or(1)));
  fields.skip("n");
  constexpr int most_probabilities = 128;
  std::optional<std::int64_t> count = fields.integer("n_probs", 0, most_probabilities);
  if (fields.has("logprobs") && !count) count = fields.integer("logprobs", 0, most_probabilities);
  fields.skip("logprobs");
  if (count.value_or(0) > 0) shown.probabilities = request.top_logprobs = static_cast<int>(*count);
  shown.after_sampling = fields.boolean("post_sampling_probs").value_or(false);
  if (shown.after_sampling && shown.probabilities)
    reading.warn("post_sampling_probs", "ignored", "the probabilities are the model's own, before the samplers");
  shown.tokens = fields.boolean("return_tokens").value_or(false);
  shown.timings = fields.boolean("timings_per_token").value_or(false);
  if (auto names = fields.texts("response_fields", 64, 256)) shown.fields = std::move(*names);
  if (fields.integer("t_max_predict_ms", -1, 1 << 30).value_or(0) > 0) {
    reading.warn("t_max_predict_ms", "ignored", "give n_predict");
  }
  fields.ignore("return_progress", "progress is not told");
}

std::unique_ptr<ReplyWriter> completion_writer(CompletionShown shown) {
  return std::make_unique<CompletionWriter>(std::move(shown));
}

}  // namespace qn::api::native
