// EngineReply: the engine's tokens as text, as they come: whole characters, stop strings cut out, thinking, content and calls told apart.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "serve/reply_constraint.h"
#include "serve/session.h"
#include "serve/stop_strings.h"

namespace qn::serve {

// Events on their way from the engine's thread to whoever pulls. Shared by the sink and the reply: either may go first.
class Inbox {
 public:
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  void put(const engine::TokenEvent& event);
  std::vector<engine::TokenEvent> take(std::chrono::milliseconds patience);

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<engine::TokenEvent> events_;
};

// How a reply's tokens are to be read.
struct Reading {
  std::vector<std::string> stop;
  bool show_stop = false;
  bool show_special_tokens = false;
  int min_tokens = 0;                      // stop strings count after so many
  bool goes_on = false;                    // with the prompt's text, rather than beginning a turn
  std::vector<std::string> kept_specials;  // special tokens that the parser must see
  std::shared_ptr<const ReplyConstraint> constraint;
  std::optional<text::ReplyParser> parser;  // none: all is content
};

class EngineReply final : public Reply {
 public:
  EngineReply(LoadedModel& model, Reading reading, std::chrono::nanoseconds began);
  ~EngineReply() override;

  Status start(engine::Generation generation, std::function<void()> wake);

  ReplyPiece next(std::chrono::milliseconds patience) override;
  Finish finish() const override { return finish_; }
  const std::optional<Error>& error() const override { return error_; }
  void cancel() override;
  const ReplyStats& stats() const override { return stats_; }
  const std::optional<std::string>& stop_text() const override { return stop_text_; }
  const std::optional<TokenId>& stop_token() const override { return stop_token_; }
  const std::vector<engine::Sampled>& prompt_logprobs() const override { return prompt_logprobs_; }
  std::vector<std::string> warnings() const override { return reading_.parser ? reading_.parser->warnings() : std::vector<std::string>{}; }

 private:
  void take_event(engine::TokenEvent& event, ReplyPiece& piece);
  void show(std::string_view text, ReplyPiece& piece);
  void parse(std::string_view text, ReplyPiece& piece);
  void end(Finish finish, ReplyPiece& piece);
  std::string text_of(TokenId token);
  text::ReplyPart::Kind now_within() const;

  LoadedModel& model_;
  std::shared_ptr<Inbox> inbox_;
  SequenceId id_{0};
  text::StreamDecoder decoder_;
  Reading reading_;
  StopStrings stops_;
  Finish finish_ = Finish::running;
  std::optional<Error> error_;
  std::optional<std::string> stop_text_;
  std::optional<TokenId> stop_token_;
  std::vector<engine::Sampled> prompt_logprobs_;
  ReplyStats stats_;
  std::chrono::nanoseconds began_;
};

}  // namespace qn::serve
