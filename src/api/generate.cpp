#include "api/generate.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>

#include "api/model_work.h"
#include "api/workers.h"
#include "base/utf8.h"

namespace qn::api {
namespace {

using Kind = text::ReplyPart::Kind;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t enough_backlog = 256 << 10;  // bytes that wait for the socket before we stop pulling
constexpr std::size_t longest_part = 8 << 10;      // bytes of text in one event: escaped, it stays below a line of 64 KiB

void append(Choice& choice, const serve::ReplyPiece& piece) {
  for (const text::ReplyPart& part : piece.parts) {
    switch (part.kind) {
      case Kind::thinking: choice.thinking += part.text; break;
      case Kind::content: choice.content += part.text; break;
      case Kind::call_begin: choice.calls.push_back({part.id, part.text, {}}); break;
      case Kind::call_arguments: choice.calls.back().arguments += part.text; break;
      case Kind::call_end: break;
      case Kind::call_broken:
        choice.calls.pop_back();
        choice.content += part.text;
        break;
    }
  }
  for (const serve::ReplyToken& token : piece.tokens) choice.logprob += static_cast<double>(token.logprob);
}

// Parts so short that each makes one event.
serve::ReplyPiece in_short_parts(serve::ReplyPiece piece) {
  const auto is_long = [](const text::ReplyPart& part) { return part.text.size() > longest_part; };
  if (std::ranges::none_of(piece.parts, is_long)) return piece;
  std::vector<text::ReplyPart> parts;
  for (text::ReplyPart& part : piece.parts) {
    std::string_view rest = part.text;
    while (rest.size() > longest_part) {
      const std::size_t size = utf8::complete_prefix(rest.substr(0, longest_part));
      parts.push_back({part.kind, std::string(rest.substr(0, size)), part.call, part.id});
      rest.remove_prefix(size);
    }
    parts.push_back({part.kind, std::string(rest), part.call, part.id});
  }
  piece.parts = std::move(parts);
  return piece;
}

class Generating : public std::enable_shared_from_this<Generating> {
 public:
  Generating(Service& service, std::shared_ptr<Exchange> exchange, GenerateJob job, std::unique_ptr<ReplyWriter> writer)
      : service_(service), exchange_(std::move(exchange)), writer_(std::move(writer)), arrived_(steady_clock::now()) {
    run_.job = std::move(job);
    run_.began = std::chrono::system_clock::now();
    run_.request_id = exchange_->request().id;
  }

  // On a worker.
  void start() {
    // The exchange keeps us for as long as there is somebody to answer, and drops this callback with the end of the answer.
    exchange_->when_closed([self = shared_from_this()] { self->abandon(); });
    run_.job.model = meant_model(service_, run_.job.model);
    serve::Ticket ticket =
        service_.models->acquire(run_.job.model, run_.job.keep_alive, [self = shared_from_this()](Result<serve::Lease> lease) {
          if (!lease) return self->exchange_->fail(no_lease(lease.error(), self->run_.job.dialect, self->run_.job.model));
          const bool taken = self->service_.workers->run([self, lease = *std::move(lease)] { self->prepare(lease); });
          if (!taken) self->exchange_->fail(busy());
        });
    // The ticket is the I/O thread's from here on: that is where the end is noticed.
    exchange_->post([self = shared_from_this(), held = std::make_shared<serve::Ticket>(std::move(ticket))] {
      if (!self->over_) self->ticket_ = std::move(*held);
    });
  }

 private:
  static ApiError busy() { return {Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"}; }

  // On a worker: everything that takes time before the first step.
  void prepare(const serve::Lease& lease) {
    if (closed_.load()) return;
    run_.load_time = steady_clock::now() - arrived_;
    run_.model = lease.served().name;
    run_.tokenizer = &*lease->tokenizer;
    const HttpRequest& asked = exchange_->request();
    const serve::Session session(*lease);
    for (serve::ReplyRequest& request : run_.job.prompts) {
      request.tenant = asked.tenant;
      request.wake = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->wake();
      };
      if (const std::string_view ability = missing_ability(*lease, request); !ability.empty())
        return exchange_->fail({Condition::cannot_do,
                                fmt::format("\"{}\" does not support {}", run_.job.model.empty() ? run_.model : run_.job.model, ability)});
      Result<serve::Prepared> prompt = session.prepare(request);
      if (!prompt) return exchange_->fail(not_prepared(prompt.error(), request));
      if (!prompt->fits()) {
        const int wanted = std::max(request.parameters.num_predict.value_or(1), 1);
        return exchange_->fail(prompt_too_long(run_.job.dialect, static_cast<int>(prompt->tokens.size()), wanted, prompt->window));
      }
      note_limits(*prompt, request);
      run_.prompts.push_back(*std::move(prompt));
    }
    if (!run_.job.warnings.empty() && asked.query_value("strict") == "1") {
      const Warning& first = run_.job.warnings.front();
      return exchange_->fail({Condition::bad_request, fmt::format("{}: {} ({})", first.param, first.action, first.detail), first.param});
    }
    const auto replies = static_cast<std::size_t>(std::max(run_.job.choices, run_.job.best_of));
    run_.choices.resize(run_.prompts.size() * replies);
    run_.prompt_logprobs.resize(run_.prompts.size());
    std::vector<std::unique_ptr<serve::Reply>> started;
    for (const serve::Prepared& prompt : run_.prompts) {
      for (std::size_t i = 0; i < replies; ++i) {
        Result<std::unique_ptr<serve::Reply>> reply = session.start(prompt, static_cast<int>(i));
        if (!reply) return exchange_->fail(to_api_error(reply.error()));
        started.push_back(*std::move(reply));
      }
    }
    exchange_->post([self = shared_from_this(), lease, replies = std::make_shared<decltype(started)>(std::move(started))] {
      if (self->over_) return;  // the replies end here
      self->lease_ = lease;
      self->replies_ = std::move(*replies);
      self->begin();
    });
  }

  // What is wrong with a schema or with tools begins with the field's name.
  static ApiError not_prepared(const Error& error, const serve::ReplyRequest& request) {
    ApiError said = to_api_error(error);
    for (const std::string& field : {request.form_field, std::string("tools"), std::string("messages")})
      if (said.param.empty() && !field.empty() && error.message.starts_with(field)) said.param = field;
    return said;
  }

  std::string_view missing_ability(const serve::LoadedModel& model, const serve::ReplyRequest& request) {
    if (!std::holds_alternative<std::monostate>(request.raw_prompt)) return {};
    if (request.chat.tools && !request.chat.tools->empty() && !model.capabilities.tools) return "tools";
    if (request.chat.think == true && !model.capabilities.thinking) {
      if (run_.job.must_think) return "thinking";
      run_.job.warnings.push_back({"thinking", "ignored", "this model does not think before it answers"});
    }
    return {};
  }

  void note_limits(const serve::Prepared& prompt, const serve::ReplyRequest& request) {
    if (const int asked = request.parameters.num_ctx.value_or(0); asked > prompt.window)
      run_.job.warnings.push_back({"num_ctx", "clamped", fmt::format("{} do not fit; the window has {}", asked, prompt.window)});
    const int room = prompt.window - static_cast<int>(prompt.tokens.size());
    if (const int asked = request.parameters.num_predict.value_or(0); asked > room)
      run_.job.warnings.push_back(
          {"max_tokens", "clamped", fmt::format("{} do not fit the window of {}; at most {} are written", asked, prompt.window, room)});
  }

  // From here on: the I/O thread.
  void begin() {
    if (run_.job.stream) {
      Headers headers{{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
      if (!run_.job.warnings.empty()) headers.emplace_back("X-Quern-Warnings", std::to_string(run_.job.warnings.size()));
      if (const std::string dropped = dropped_note(); !dropped.empty()) headers.emplace_back("X-Quern-Truncated", dropped);
      exchange_->begin_stream(200, std::string(writer_->stream_type()), std::move(headers));
      std::string out;
      writer_->begin(run_, out);
      if (!out.empty()) exchange_->write(std::move(out));
      ping_later();
    }
    pump();
  }

  std::string dropped_note() const {
    int messages = 0, tokens = 0;
    for (const serve::Prepared& prompt : run_.prompts) messages += prompt.dropped_messages, tokens += prompt.dropped_tokens;
    return tokens == 0 ? "" : fmt::format("messages={}; tokens={}", messages, tokens);
  }

  void ping_later() {
    if (run_.job.ping_seconds <= 0 || writer_->ping().empty()) return;
    exchange_->after(std::chrono::seconds(run_.job.ping_seconds), [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->over_) return;
      if (!std::exchange(self->wrote_, false)) self->exchange_->write(std::string(self->writer_->ping()));
      self->ping_later();
    });
  }

  // Any thread: something has come.
  void wake() {
    if (waking_.exchange(true)) return;
    exchange_->post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pump();
    });
  }

  void pump() {
    waking_.store(false);
    if (over_ || stalled_ || replies_.empty()) return;  // a reply may wake us before begin() has it
    std::string out;
    for (std::size_t i = 0; i < replies_.size(); ++i) pull(i, out);
    if (exchange_ && !out.empty()) {
      wrote_ = true;
      exchange_->write(std::move(out));
    }
    if (std::ranges::all_of(replies_, [](const auto& reply) { return reply == nullptr; })) return finish();
    if (exchange_->backlog() > enough_backlog) {
      stalled_ = true;
      exchange_->when_drained([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->stalled_ = false;
        self->pump();
      });
    }
  }

  void pull(std::size_t i, std::string& out) {
    serve::Reply* reply = replies_[i].get();
    if (reply == nullptr) return;
    serve::ReplyPiece piece = in_short_parts(reply->next(std::chrono::milliseconds(0)));
    Choice& choice = run_.choices[i];
    append(choice, piece);
    choice.stats = reply->stats();
    if (run_.job.stream && !(piece.parts.empty() && piece.tokens.empty())) writer_->piece(run_, i, piece, out);
    std::ranges::move(piece.tokens, std::back_inserter(choice.tokens));
    if (reply->finish() == serve::Finish::running) return;
    choice.finish = reply->finish();
    choice.stop_text = reply->stop_text();
    choice.stop_token = reply->stop_token();
    choice.error = reply->error();
    for (const std::string& warning : reply->warnings()) run_.job.warnings.push_back({"tools", "ignored", warning});
    std::vector<engine::Sampled> prompt = reply->prompt_logprobs();
    if (!prompt.empty()) run_.prompt_logprobs[i * run_.prompts.size() / run_.choices.size()] = std::move(prompt);
    if (choice.finish == serve::Finish::failed && choice.error) failed_ = to_api_error(*choice.error);
    if (choice.finish == serve::Finish::cancelled) failed_ = ApiError{Condition::overloaded, "the server is shutting down; try again"};
    if (run_.job.stream && !failed_) writer_->end_choice(run_, i, out);
    replies_[i].reset();
  }

  void finish() {
    run_.total = steady_clock::now() - arrived_;
    note();
    if (failed_) {
      exchange_->fail(*failed_);
    } else if (run_.job.stream) {
      std::string out;
      writer_->end(run_, out);
      exchange_->write(std::move(out));
      exchange_->end();
    } else {
      keep_best();
      HttpResponse response = writer_->whole(run_);
      if (!run_.job.warnings.empty()) response.headers.emplace_back("X-Quern-Warnings", std::to_string(run_.job.warnings.size()));
      if (const std::string dropped = dropped_note(); !dropped.empty()) response.headers.emplace_back("X-Quern-Truncated", dropped);
      exchange_->respond(std::move(response));
    }
    release();
  }

  // The likeliest `choices` of each prompt's replies, best first.
  void keep_best() {
    if (run_.job.best_of <= run_.job.choices) return;
    const auto all = static_cast<std::size_t>(run_.job.best_of), shown = static_cast<std::size_t>(run_.job.choices);
    std::vector<Choice> kept;
    for (std::size_t p = 0; p < run_.prompts.size(); ++p) {
      const auto first = run_.choices.begin() + static_cast<std::ptrdiff_t>(p * all);
      const auto mean = [](const Choice& choice) { return choice.logprob / std::max(1, choice.stats.reply_tokens); };
      std::stable_sort(first, first + static_cast<std::ptrdiff_t>(all),
                       [&](const Choice& a, const Choice& b) { return mean(a) > mean(b); });
      std::move(first, first + static_cast<std::ptrdiff_t>(shown), std::back_inserter(kept));
    }
    best_of_tokens_ = run_.usage().completion_tokens;
    run_.choices = std::move(kept);
  }

  void note() {
    const Usage usage = run_.usage();
    RequestNotes notes{.model = run_.model,
                       .prompt_tokens = usage.prompt_tokens,
                       .cached_tokens = usage.cached_tokens,
                       .completion_tokens = usage.completion_tokens};
    if (!run_.choices.empty()) {
      const serve::ReplyStats& stats = run_.choices[0].stats;
      notes.queue_ms = std::chrono::duration<double, std::milli>(stats.queued).count();
      notes.first_token_ms = std::chrono::duration<double, std::milli>(run_.load_time + stats.first_token).count();
    }
    exchange_->set_notes(std::move(notes));
    service_.replies.add(run_);
    if (service_.finished) service_.finished(run_);
  }

  void abandon() {
    closed_.store(true);
    if (over_) return;
    if (!replies_.empty()) note();
    release();
  }

  void release() {
    over_ = true;
    replies_.clear();  // cancels what still runs
    ticket_ = serve::Ticket();
    lease_ = serve::Lease();
  }

  Service& service_;
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<ReplyWriter> writer_;
  Run run_;
  steady_clock::time_point arrived_;
  std::atomic<bool> waking_{false}, closed_{false};

  // The I/O thread's.
  serve::Ticket ticket_;
  serve::Lease lease_;
  std::vector<std::unique_ptr<serve::Reply>> replies_;  // [choices]; null: over. Go before the lease
  std::optional<ApiError> failed_;
  int best_of_tokens_ = 0;
  bool over_ = false, stalled_ = false, wrote_ = false;
};

}  // namespace

Usage Run::usage() const {
  Usage usage;
  const std::size_t each = prompts.empty() ? 1 : std::max<std::size_t>(choices.size() / prompts.size(), 1);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const serve::ReplyStats& stats = choices[i].stats;
    if (i % each == 0) {  // a prompt counts once, however many replies it gets
      usage.prompt_tokens += static_cast<int>(prompts[i / each].tokens.size());
      usage.cached_tokens += stats.cached_tokens;
    }
    usage.completion_tokens += stats.reply_tokens;
    usage.thinking_tokens += stats.thinking_tokens;
    usage.drafted_tokens += stats.drafted_tokens;
    usage.accepted_tokens += stats.accepted_tokens;
  }
  return usage;
}

void generate(Service& service, std::shared_ptr<Exchange> exchange, GenerateJob job, std::unique_ptr<ReplyWriter> writer) {
  std::make_shared<Generating>(service, std::move(exchange), std::move(job), std::move(writer))->start();
}

json::Object timings_of(const Run& run) {
  const Usage usage = run.usage();
  const auto ms = [](nanoseconds time) { return std::chrono::duration<double, std::milli>(time).count(); };
  const serve::ReplyStats stats = run.choices.empty() ? serve::ReplyStats{} : run.choices[0].stats;
  const double prompt_ms = ms(stats.prompt_eval), reply_ms = ms(stats.eval);
  const int computed = usage.prompt_tokens - usage.cached_tokens;
  const auto rate = [](double count, double each_ms) { return each_ms > 0 ? count * 1000 / each_ms : 0.0; };
  json::Object out{{"cache_n", usage.cached_tokens},
                   {"prompt_n", computed},
                   {"prompt_ms", prompt_ms},
                   {"prompt_per_token_ms", computed > 0 ? prompt_ms / computed : 0.0},
                   {"prompt_per_second", rate(computed, prompt_ms)},
                   {"predicted_n", usage.completion_tokens},
                   {"predicted_ms", reply_ms},
                   {"predicted_per_token_ms", usage.completion_tokens > 0 ? reply_ms / usage.completion_tokens : 0.0},
                   {"predicted_per_second", rate(usage.completion_tokens, reply_ms)}};
  if (usage.drafted_tokens > 0) {
    out["draft_n"] = usage.drafted_tokens;
    out["draft_n_accepted"] = usage.accepted_tokens;
  }
  return out;
}

std::int64_t unix_time(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

void write_event(std::string& out, const json::Value& data, std::string_view event) {
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  out.append("data: ").append(json::print(data)).append("\n\n");
}

std::string random_label(std::size_t length) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out;
  while (out.size() < length) out += letters[random() % letters.size()];
  return out;
}

}  // namespace qn::api
