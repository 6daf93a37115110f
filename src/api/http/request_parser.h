// RequestParser: the bytes of one request, as they arrive, into its head and then its body. The only place that reads HTTP.
// Strict on purpose: where RFC 9112 lets a server be lenient, two servers in a row may disagree on where a request ends, so such a request
// is refused. However the bytes are cut into pieces, the result is the same.
//   source   RFC 9112; the refusals beyond it are listed in docs/server.md
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/errors.h"
#include "api/http/content_decoder.h"
#include "api/http/limits.h"
#include "api/http/message.h"
#include "api/http/target.h"

namespace qn::api {

struct RequestHead {
  std::string method;
  Target target;
  Headers headers;
  int minor_version = 1;  // of HTTP/1.x
  std::string host;       // "" where an HTTP/1.0 client sent none
  std::int64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length > 0; }
};

class RequestParser {
 public:
  enum class State {
    head,    // more bytes are wanted
    body,    // the head is complete; a body follows
    done,    // the request is complete
    broken,  // error() says why; where the next request begins is not known
  };

  explicit RequestParser(const Limits& limits) : limits_(limits) {}

  State state() const { return state_; }
  bool idle() const { return state_ == State::head && !begun_; }  // nothing of a request has come

  // Takes bytes from the front of `bytes`. Stops where the state changes, so that the head can be judged before the body is read.
  State feed(std::string_view& bytes);

  const RequestHead& head() const { return head_; }
  const ApiError& error() const { return error_; }
  bool target_known() const { return target_known_; }
  const std::string& body() const { return body_; }
  std::string take_body() { return std::move(body_); }
  std::int64_t body_bytes_on_wire() const { return body_on_wire_; }

  void reset();  // for the next request

 private:
  enum class Chunk { size_line, data, data_end, trailers };

  State fail(Condition condition, std::string message);
  // A line without its end, if it is complete. `most` is checked as the bytes come.
  std::optional<std::string_view> take_line(std::string_view& bytes, std::int64_t most, Condition beyond, std::string_view what);
  void read_request_line(std::string_view line);
  void read_header(std::string_view line);
  void read_trailer(std::string_view line);
  void finish_head();
  void read_framing();
  void read_chunk_size(std::string_view line);
  void feed_chunked(std::string_view& bytes);
  void take_body_bytes(std::string_view& bytes, std::int64_t& left);
  void finish_body();

  Limits limits_;
  State state_ = State::head;
  bool begun_ = false, request_line_read_ = false, target_known_ = false, empty_line_seen_ = false;
  std::string line_;  // the line so far, where it came in pieces
  bool line_taken_ = false;
  std::int64_t headers_bytes_ = 0;
  RequestHead head_;
  ApiError error_{Condition::bad_request, {}};

  Chunk chunk_ = Chunk::size_line;
  std::int64_t left_ = 0;  // of the chunk, or of the body
  std::int64_t extension_bytes_ = 0;
  std::int64_t body_on_wire_ = 0;
  std::unique_ptr<ContentDecoder> decoder_;
  std::string body_;
};

}  // namespace qn::api
