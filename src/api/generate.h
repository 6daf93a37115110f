// generate(): runs what an endpoint asks for, whatever its dialect: finds the model, prepares the prompts, starts the replies, pulls them
// as the engine writes and as fast as the client reads, and ends everything the moment the client leaves.
//
//   endpoint: JSON → GenerateJob            ReplyWriter: what came → the dialect's bytes
//
// Threads: the job is prepared on a worker; the writer is called on the I/O thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "api/errors.h"
#include "api/fields.h"
#include "api/service.h"
#include "serve/model_host.h"
#include "serve/session.h"

namespace qn::api {

struct GenerateJob {
  Dialect dialect = Dialect::openai;  // of the errors whose texts clients match on
  std::string model;                  // empty: the server's own, if it has one
  std::optional<serve::KeepAlive> keep_alive;
  std::vector<serve::ReplyRequest> prompts;  // each gets `choices` replies
  int choices = 1;
  int best_of = 1;  // replies to each prompt, of which the `choices` likeliest are shown; more than that: not streamed
  bool stream = false;
  bool must_think = false;  // refuse to ask a model that cannot, if thinking was asked for
  int ping_seconds = 30;    // comments in a silent stream; 0 or less: none
  std::vector<Warning> warnings;
};

struct CallText {
  std::string id, name, arguments;
};

struct Choice {  // one reply, as far as it has come
  std::string thinking, content;
  std::vector<CallText> calls;
  std::vector<serve::ReplyToken> tokens;  // of content, and of thinking where nothing else tells them apart
  double logprob = 0;                     // of all its tokens together, where log probabilities were asked for
  serve::Finish finish = serve::Finish::running;
  std::optional<std::string> stop_text;
  std::optional<TokenId> stop_token;
  std::optional<Error> error;
  serve::ReplyStats stats;
};

struct Usage {
  int prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, thinking_tokens = 0;
  int drafted_tokens = 0, accepted_tokens = 0;
};

// A job being run: what a writer may look at.
struct Run {
  GenerateJob job;
  std::string model;  // as the server calls it
  std::chrono::system_clock::time_point began;
  std::chrono::nanoseconds load_time{0};  // waited for the model
  std::vector<serve::Prepared> prompts;
  std::vector<Choice> choices;                                // [prompts, job.choices]
  std::vector<std::vector<engine::Sampled>> prompt_logprobs;  // of each prompt, where asked for
  const text::Tokenizer* tokenizer = nullptr;
  std::string request_id;

  Usage usage() const;
  std::chrono::nanoseconds total{0};  // since the request came, when it ended
};

class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;

  // A stream: appends to `out` what the client gets.
  virtual std::string_view stream_type() const { return "text/event-stream"; }
  virtual std::string_view ping() const { return ":\n\n"; }  // empty: none
  virtual void begin(const Run&, std::string& /*out*/) {}
  virtual void piece(const Run& run, std::size_t choice, const serve::ReplyPiece& piece, std::string& out) = 0;  // already in run.choices
  virtual void end_choice(const Run& run, std::size_t choice, std::string& out) = 0;
  virtual void end(const Run& run, std::string& out) = 0;

  // Not a stream.
  virtual HttpResponse whole(const Run& run) = 0;
};

void generate(Service& service, std::shared_ptr<Exchange> exchange, GenerateJob job, std::unique_ptr<ReplyWriter> writer);

// llama-server's "timings", also on OpenAI replies.
json::Object timings_of(const Run& run);

// Seconds since 1970.
std::int64_t unix_time(std::chrono::system_clock::time_point time);

// "data: {json}\n\n", or with "event: name\n" before it.
void write_event(std::string& out, const json::Value& data, std::string_view event = {});

// Letters and digits for "chatcmpl-…", "msg_…".
std::string random_label(std::size_t length = 24);

}  // namespace qn::api
