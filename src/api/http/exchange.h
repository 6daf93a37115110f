// Exchange: one request being answered. Held by shared_ptr by whoever answers; every method may be called from any thread.
// An answer is either whole (respond) or a stream (begin_stream, write…, end). What is called after the end, or after the client left, does
// nothing. Whoever lets go of the last shared_ptr without an answer has the client told of an internal error. Callbacks run on the I/O
// thread, are dropped once the answer is complete, and must not block.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "api/http/message.h"

namespace qn::api {

struct ApiError;

// What the access log tells of a request beside the HTTP of it. Never prompts, replies or keys. Absent: -1 or empty.
struct RequestNotes {
  std::string model;
  double queue_ms = -1, first_token_ms = -1;
  int prompt_tokens = -1, cached_tokens = -1, completion_tokens = -1;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const HttpRequest& request() const = 0;

  virtual void respond(HttpResponse response) = 0;

  virtual void begin_stream(int status, std::string content_type, Headers headers) = 0;
  virtual void write(std::string bytes) = 0;
  virtual void end() = 0;

  // Ends with an error in the spelling of the endpoint: a whole answer, or after begin_stream() the dialect's last words.
  virtual void fail(ApiError error) = 0;

  // Bytes written that the socket has not taken yet. Stop producing well before output-backlog-bytes (api/http/limits.h): beyond it a
  // client that does not read is cut off after a while.
  virtual std::size_t backlog() const = 0;
  // Called once, when the backlog is gone; at once if there is none.
  virtual void when_drained(std::function<void()> callback) = 0;
  // The client left, was cut off, or the server stops. Called at once if that has happened. May be set several times: each is called.
  virtual void when_closed(std::function<void()> callback) = 0;

  virtual void post(std::function<void()> work) = 0;  // runs on the I/O thread, even if the client has left
  virtual void after(std::chrono::milliseconds delay, std::function<void()> callback) = 0;  // not called if the answer is complete by then

  virtual void set_notes(RequestNotes notes) = 0;  // for the access log; the last call counts
};

}  // namespace qn::api
