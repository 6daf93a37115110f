#include "serve/reply.h"

#include <algorithm>
#include <utility>

#include "engine/engine.h"

namespace qn::serve {
namespace {

using Kind = text::ReplyPart::Kind;

Finish finish_of(engine::Finish finish) {
  switch (finish) {
    case engine::Finish::end_of_text: return Finish::stop;
    case engine::Finish::max_tokens: return Finish::length;
    case engine::Finish::context_full: return Finish::window_full;
    case engine::Finish::cancelled: return Finish::cancelled;
    default: break;
  }
  return Finish::failed;
}

}  // namespace

void Inbox::put(const engine::TokenEvent& event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }
  filled_.notify_one();
  if (wake_) wake_();
}

std::vector<engine::TokenEvent> Inbox::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (patience.count() > 0) filled_.wait_for(lock, patience, [this] { return !events_.empty(); });
  return std::exchange(events_, {});
}

EngineReply::EngineReply(LoadedModel& model, Reading reading, std::chrono::nanoseconds began)
    : model_(model),
      decoder_(*model.tokenizer, reading.show_special_tokens),
      reading_(std::move(reading)),
      stops_(reading_.stop),
      began_(began) {}

EngineReply::~EngineReply() {
  if (finish_ == Finish::running && inbox_) model_.engine->cancel(id_);
}

Status EngineReply::start(engine::Generation generation, std::function<void()> wake) {
  // A decoder that has seen the prompt's end keeps the space that the reply may begin with.
  if (reading_.goes_on) decoder_.push(generation.prompt.back());
  auto inbox = std::make_shared<Inbox>(std::move(wake));
  generation.sink = [inbox](const engine::TokenEvent& event) { inbox->put(event); };
  QN_TRY(id_, model_.engine->submit(std::move(generation)));
  inbox_ = std::move(inbox);
  return {};
}

ReplyPiece EngineReply::next(std::chrono::milliseconds patience) {
  ReplyPiece piece;
  if (finish_ != Finish::running) return piece;
  for (engine::TokenEvent& event : inbox_->take(patience)) {
    take_event(event, piece);
    if (finish_ != Finish::running) break;
  }
  return piece;
}

void EngineReply::cancel() {
  model_.engine->cancel(id_);
}

void EngineReply::take_event(engine::TokenEvent& event, ReplyPiece& piece) {
  stats_.prompt_tokens = event.counts.prompt_tokens;
  stats_.cached_tokens = event.counts.cached_tokens;
  stats_.reply_tokens = event.counts.generated_tokens;
  stats_.drafted_tokens = event.counts.draft_tokens;
  stats_.accepted_tokens = event.counts.accepted_tokens;
  stats_.queued = event.timings.queued;
  stats_.prompt_eval = event.timings.prompt;
  stats_.eval = event.timings.generation;
  stats_.first_token = event.timings.queued + event.timings.prompt;
  if (!event.prompt.empty()) prompt_logprobs_ = std::move(event.prompt);

  const bool ends_turn = event.finish == engine::Finish::end_of_text;
  // An embedding may have more rows than the vocabulary has tokens; such ids stand for nothing.
  const bool has_text = event.token >= 0 && event.token < model_.tokenizer->vocab_size();
  if (event.token >= 0) {
    if (now_within() == Kind::thinking) ++stats_.thinking_tokens;
    if (!ends_turn) piece.tokens.push_back({event.token, now_within(), event.logprob, std::move(event.top), event.timings.generation});
    if (ends_turn && !model_.tokenizer->ends_reply(event.token)) stop_token_ = event.token;
  }
  if (has_text && (!ends_turn || reading_.show_special_tokens)) show(text_of(event.token), piece);
  if (event.token >= 0 && !ends_turn && piece.tokens.back().within != now_within() && now_within() == Kind::thinking) {
    piece.tokens.back().within = Kind::thinking;  // the mark that opens a thought belongs to it, as the one that closes it does
    ++stats_.thinking_tokens;
  }
  if (stops_.stopped() || (reading_.parser && reading_.parser->done())) {
    if (stops_.stopped()) stop_text_ = stops_.met();
    if (!event.finish) model_.engine->cancel(id_);
    return end(Finish::stop, piece);
  }
  if (!event.finish) return;
  if (event.error) error_ = std::move(event.error);
  if (reading_.constraint && reading_.constraint->gave_up()) {
    error_ = Error{Code::too_large, "grammar: too ambiguous to be followed to its end; simplify the schema or the grammar"};
    return end(Finish::failed, piece);
  }
  show(decoder_.finish(), piece);
  if (stops_.stopped()) stop_text_ = stops_.met();
  end(stops_.stopped() ? Finish::stop : finish_of(*event.finish), piece);
}

std::string EngineReply::text_of(TokenId token) {
  if (!reading_.kept_specials.empty() && model_.tokenizer->is_special(token)) {
    const std::string_view text = model_.tokenizer->special_text(token);
    if (std::ranges::find(reading_.kept_specials, text) != reading_.kept_specials.end()) return decoder_.finish() + std::string(text);
  }
  return decoder_.push(token);
}

Kind EngineReply::now_within() const {
  return reading_.parser && reading_.parser->thinking() ? Kind::thinking : Kind::content;
}

void EngineReply::show(std::string_view text, ReplyPiece& piece) {
  if (stats_.reply_tokens <= reading_.min_tokens) return parse(text, piece);
  parse(stops_.push(text), piece);
  if (stops_.stopped() && reading_.show_stop) parse(stops_.met(), piece);
}

void EngineReply::parse(std::string_view text, ReplyPiece& piece) {
  if (text.empty()) return;
  if (!reading_.parser) {
    piece.parts.push_back({.kind = Kind::content, .text = std::string(text)});
    return;
  }
  for (text::ReplyPart& part : reading_.parser->push(text)) piece.parts.push_back(std::move(part));
}

void EngineReply::end(Finish finish, ReplyPiece& piece) {
  parse(stops_.finish(), piece);
  if (reading_.parser) {
    for (text::ReplyPart& part : reading_.parser->finish()) piece.parts.push_back(std::move(part));
  }
  finish_ = finish;
  stats_.total = model_.clock.now() - began_;
}

}  // namespace qn::serve
