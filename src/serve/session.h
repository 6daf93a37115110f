// Session: text in, text out. It renders the template, tokenizes, compiles what constrains the reply, and turns the engine's tokens back
// into thinking, content and tool calls; below it there are only token ids.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/generation.h"
#include "serve/host.h"
#include "serve/reply_request.h"
#include "text/chat/reply_parser.h"

namespace qn::serve {

// The template of models whose file has none but whose vocabulary has ChatML's marks; also to be had by name.
extern const std::string_view chatml_template;

enum class Finish {
  running,
  stop,         // the model ended its turn, or a stop string or token came
  length,       // num_predict tokens
  window_full,  // no room for another token
  cancelled,
  failed,  // see Reply::error
};

struct ReplyStats {
  std::chrono::nanoseconds total{0}, queued{0}, prompt_eval{0}, eval{0}, first_token{0};
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of the prompt, not computed again
  int reply_tokens = 0;
  int thinking_tokens = 0;                      // of these
  int drafted_tokens = 0, accepted_tokens = 0;  // speculation
};

struct ReplyToken {
  TokenId id;
  text::ReplyPart::Kind within;  // what it belongs to, as far as is known when it comes
  float logprob = 0;             // this and the next only where they were asked for
  std::vector<engine::TokenLogprob> top = {};
  std::chrono::nanoseconds at{0};  // since the first token of the reply
};

struct ReplyPiece {
  std::vector<text::ReplyPart> parts;  // whole characters
  std::vector<ReplyToken> tokens;      // that came; their text may still be held back, or be hidden

  std::string thinking() const { return joined(text::ReplyPart::Kind::thinking); }
  std::string content() const { return joined(text::ReplyPart::Kind::content); }

 private:
  std::string joined(text::ReplyPart::Kind kind) const;
};

// One answer being made. It is pulled: nothing is lost if nobody pulls for a while.
class Reply {
 public:
  virtual ~Reply() = default;  // cancels what still runs

  // What has come since the last call, waiting at most `patience` for it. The reply is over when finish() is not `running`.
  virtual ReplyPiece next(std::chrono::milliseconds patience) = 0;
  virtual Finish finish() const = 0;
  virtual const std::optional<Error>& error() const = 0;
  virtual void cancel() = 0;                    // the next piece is the last
  virtual const ReplyStats& stats() const = 0;  // whole once the reply is over

  // What ended it with Finish::stop, where that was neither the end of the turn nor of the last allowed call.
  virtual const std::optional<std::string>& stop_text() const = 0;
  virtual const std::optional<TokenId>& stop_token() const = 0;
  // Where they were asked for: of each token of the prompt but the first, once the reply has begun.
  virtual const std::vector<engine::Sampled>& prompt_logprobs() const = 0;
  // What looked like a tool call and was none.
  virtual std::vector<std::string> warnings() const = 0;
};

// A request made ready: what takes time is done. One may start several replies.
struct Prepared {
  std::string text;  // of the prompt, special tokens spelled out; empty where tokens were given
  std::vector<TokenId> tokens;
  int window = 0;                            // prompt and reply together, at most
  int dropped_messages = 0;                  // to make it fit
  int dropped_tokens = 0;                    //
  engine::SamplingParameters sampling = {};  // in effect; the seed is the first reply's

  struct Inside;
  std::shared_ptr<const Inside> inside;

  bool fits() const { return static_cast<int>(tokens.size()) < window; }
};

class Session {
 public:
  explicit Session(LoadedModel& model) : model_(&model) {}

  // Renders, tokenizes, compiles. The prompt may turn out too long: see fits().
  //   errors   bad_input: what the template says of this chat, or what is wrong with a schema; too_large: a limit; unsupported
  Result<Prepared> prepare(const ReplyRequest& request) const;

  //   choice   counts the replies to one prompt: each has its own draws
  //   errors   too_large: the prompt does not fit the window, with both numbers; overloaded: the queue is full
  Result<std::unique_ptr<Reply>> start(const Prepared& prepared, int choice = 0) const;

  // Both at once.
  Result<std::unique_ptr<Reply>> start(const ReplyRequest& request) const;

  // The prompt as text, as prepare() would tokenize it.
  Result<std::string> render(const text::Chat& chat) const;

 private:
  Status write_prompt(ReplyRequest& request, Prepared& prepared) const;

  LoadedModel* model_;
};

}  // namespace qn::serve
