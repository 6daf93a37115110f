// Session: text in, text out. It renders the template, tokenizes, and turns the engine's tokens back into thinking and content;
// below it there are only token ids.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/host.h"
#include "serve/parameters.h"
#include "text/chat/chat.h"

namespace qn::serve {

// The template of models whose file has none but whose vocabulary has ChatML's marks; also to be had by name.
extern const std::string_view chatml_template;

struct ReplyRequest {
  text::Chat chat;
  std::optional<std::string> raw_prompt;  // in place of the chat: tokenized as it is, and the reply is not split
  Parameters parameters;                  // what the user set; the rest comes from the model
  bool ignore_end_of_turn = false;
};

enum class Finish {
  running,
  stop,         // the model ended its turn, or a stop string came
  length,       // num_predict tokens
  window_full,  // no room for another token
  cancelled,
  failed,  // see Reply::error
};

struct ReplyStats {
  std::chrono::nanoseconds total{0}, prompt_eval{0}, eval{0}, first_token{0};
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of the prompt, not computed again
  int reply_tokens = 0;
};

struct ReplyPiece {
  std::string thinking, content;  // whole characters
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
};

class Session {
 public:
  explicit Session(LoadedModel& model) : model_(&model) {}

  //   errors   bad_input: what the template says of this chat; too_large: the prompt does not fit the window, with both numbers
  Result<std::unique_ptr<Reply>> start(const ReplyRequest& request);

  // The prompt as text, as start() would tokenize it.
  Result<std::string> render(const text::Chat& chat) const;

 private:
  LoadedModel* model_;
};

}  // namespace qn::serve
