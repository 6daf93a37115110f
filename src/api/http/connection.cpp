#include "api/http/connection.h"

#include <algorithm>

#include "api/http/response_head.h"
#include "base/format.h"

namespace qn::api {
namespace {

constexpr std::size_t max_unread_bytes = 64 << 10;  // of requests that wait for their turn
constexpr std::int64_t linger_ms = 2000;            // for what a refused client is still sending
constexpr std::size_t keep_buffer_bytes = 4 << 10;
constexpr std::int64_t least_output_bytes_per_s = 1 << 10;

}  // namespace

Connection::Connection(std::shared_ptr<IoLoop> loop, Site& site, std::unique_ptr<Transport> transport, std::string client,
                       std::function<void(Connection*)> on_closed)
    : loop_(std::move(loop)),
      site_(site),
      transport_(std::move(transport)),
      client_(std::move(client)),
      on_closed_(std::move(on_closed)),
      parser_(site.limits) {}

Connection::~Connection() {
  hold_body_bytes(0);
}

void Connection::start() {
  set_deadline(site_.limits.header_ms, &Connection::on_idle);  // the handshake counts as a header
  transport_->start([self = shared_from_this()](Ended ended) {
    if (self->closed_) return;
    if (ended != Ended::no) return self->close();
    self->set_deadline(self->site_.limits.idle_ms, &Connection::on_idle);
    self->read_more();
  });
}

void Connection::refuse(const ApiError& error) {
  set_deadline(site_.limits.header_ms, &Connection::on_idle);
  transport_->start([self = shared_from_this(), error](Ended ended) {
    if (self->closed_) return;
    if (ended != Ended::no) return self->close();
    self->refuse_request(error);
    self->read_more();
  });
}

void Connection::drain() {
  if (!answering_ && waiting_bytes() == 0 && parser_.idle()) close();
}

void Connection::fail_answer(const ApiError& error) {
  if (const auto answer = answer_.lock()) {
    answer->fail(error);
    answer->close();
  }
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  const auto self = shared_from_this();  // the callbacks below may drop the last reference
  deadline_.reset();
  output_window_.reset();
  hold_body_bytes(0);
  transport_->close();
  if (const auto answer = answer_.lock()) answer->close();
  on_closed_(this);
}

void Connection::set_deadline(std::int64_t ms, void (Connection::*expired)()) {
  deadline_ = loop_->after(std::chrono::milliseconds(ms), [weak = weak_from_this(), expired] {
    if (const auto self = weak.lock(); self && !self->closed_) ((*self).*expired)();
  });
}

void Connection::hold_body_bytes(std::int64_t bytes) {
  site_.body_bytes_held += bytes - body_bytes_held_;
  body_bytes_held_ = bytes;
}

// Reading.

void Connection::read_more() {
  if (reading_ || closed_ || client_left_ || unread_.size() >= max_unread_bytes) return;
  reading_ = true;
  transport_->read([weak = weak_from_this()](Ended ended, std::string_view bytes) {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    self->reading_ = false;
    self->on_read(ended, bytes);
  });
}

void Connection::on_read(Ended ended, std::string_view bytes) {
  if (ended == Ended::broken) return close();
  if (ended == Ended::orderly) return on_client_left();
  if (answering_ || !unread_.empty())
    unread_ += bytes;
  else if (!lingering_)
    consume(bytes);
  if (!closed_) read_more();
}

// The client sends no more. It may still read: what is being answered is cancelled, but what comes nevertheless is sent.
void Connection::on_client_left() {
  client_left_ = true;
  if (!answering_ && waiting_bytes() == 0) return close();
  close_after_sending_ = !answering_;
  if (const auto answer = answer_.lock()) answer->close();
}

void Connection::consume(std::string_view bytes) {
  consuming_ = true;
  while (!bytes.empty() && !answering_ && !output_full() && !closed_ && !close_after_sending_ && !lingering_) {
    const bool was_idle = parser_.idle();
    const RequestParser::State before = parser_.state();
    const RequestParser::State now = parser_.feed(bytes);
    if (was_idle && !parser_.idle()) set_deadline(site_.limits.header_ms, &Connection::on_slow_header);
    if (now == RequestParser::State::broken) {
      refuse_request(parser_.error());
      break;
    }
    if (before == RequestParser::State::head && now != before) on_head();
    if (before == RequestParser::State::body && now == before) {
      hold_body_bytes(static_cast<std::int64_t>(parser_.body().capacity()));
      if (site_.body_bytes_held > site_.limits.all_bodies_bytes)
        refuse_request({Condition::overloaded, "the server is reading too many requests; try again later"});
    }
    if (parser_.state() == RequestParser::State::done && !answering_ && !close_after_sending_) on_request();
  }
  consuming_ = false;
  if (!closed_ && !close_after_sending_ && !lingering_) unread_ = bytes;
}

// Goes on with what waited, from a fresh turn of the loop.
void Connection::consume_unread() {
  if (consuming_ || unread_.empty() || answering_ || output_full()) return;
  loop_->post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->closed_ || self->answering_ || self->consuming_) return;
    const std::string bytes = std::exchange(self->unread_, {});
    self->consume(bytes);
    if (!self->closed_) self->read_more();
  });
}

void Connection::on_head() {
  const RequestHead& head = parser_.head();
  id_ = site_.request_id(head);
  Admission admission = site_.admit(head, id_);
  endpoint_ = admission.endpoint;
  dialect_ = admission.dialect;
  answer_headers_ = std::move(admission.answer_headers);
  key_ = admission.key;
  rest_ = std::move(admission.rest);
  method_ = head.method;
  head_only_ = head.method == "HEAD";
  minor_version_ = head.minor_version;
  keep_alive_ = head.keep_alive;
  if (admission.refusal) {
    if (head.has_body()) keep_alive_ = false;  // it is not read
    send_refusal(std::move(*admission.refusal));
    return;
  }
  if (!head.has_body()) return;
  if (head.expects_continue) append("HTTP/1.1 100 Continue\r\n\r\n");
  body_began_ = loop_->now();
  set_deadline(site_.limits.body_grace_ms, &Connection::on_body_tick);
}

// The minute begins when the last answer is sent; one that is still under way has the output window.
void Connection::on_idle() {
  if (waiting_bytes() > 0)
    set_deadline(site_.limits.idle_ms, &Connection::on_idle);
  else
    close();
}

void Connection::on_slow_header() {
  refuse_request({Condition::timed_out, fmt::format("headers: not complete after {} ms; send them faster", site_.limits.header_ms)});
}

void Connection::on_body_tick() {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(loop_->now() - body_began_).count();
  const std::int64_t due = std::max<std::int64_t>(1, (elapsed - site_.limits.body_grace_ms) * site_.limits.body_bytes_per_s / 1000);
  if (parser_.body_bytes_on_wire() < due)
    return refuse_request(
        {Condition::timed_out, fmt::format("request body: slower than {} bytes/s; send it faster", site_.limits.body_bytes_per_s)});
  set_deadline(1000, &Connection::on_body_tick);
}

// The request is whole: it goes to its endpoint.
void Connection::on_request() {
  deadline_.reset();
  hold_body_bytes(0);
  const RequestHead& head = parser_.head();
  HttpRequest request{.method = head.method,
                      .path = head.target.path,
                      .rest = std::move(rest_),
                      .query = head.target.query,
                      .headers = head.headers,
                      .body = parser_.take_body(),
                      .client = client_,
                      .id = id_,
                      .scope = key_.scope,
                      .tenant = key_.tenant};
  parser_.reset();
  answering_ = true;
  ++number_;
  const auto answer = std::make_shared<Answer>(loop_, site_, weak_from_this(), number_, std::move(request), *endpoint_);
  answer_ = answer;
  answer->set_queued(waiting_bytes());
  endpoint_->handle(site_.service, answer);
}

// Answering.

// Where the next request would begin is not known, or not worth reading for: the connection ends with this answer.
void Connection::refuse_request(const ApiError& error) {
  if (id_.empty()) {  // the head has not been judged
    id_ = site_.request_id(parser_.head());
    dialect_ = parser_.target_known() ? dialect_of_path(parser_.head().target.path) : Dialect::native;
    head_only_ = false;
  }
  keep_alive_ = false;
  send_refusal(error_response(error, dialect_, id_));
}

void Connection::send_refusal(HttpResponse response) {
  deadline_.reset();
  hold_body_bytes(0);
  const RequestHead& head = parser_.head();
  const AccessRecord record{.id = id_,
                            .method = parser_.target_known() ? std::string_view(head.method) : "-",
                            .path = parser_.target_known() ? std::string_view(head.target.path) : "-",
                            .client = client_,
                            .route = "other",
                            .status = response.status,
                            .sent_bytes = static_cast<std::int64_t>(response.body.size())};
  site_.on_request(record);
  answering_ = true;
  ++number_;
  answer_.reset();
  parser_.reset();
  send_whole(number_, std::move(response));
}

Headers Connection::common_headers(std::string content_type) const {
  Headers headers;
  headers.emplace_back("Date", site_.date());
  if (!content_type.empty()) headers.emplace_back("Content-Type", std::move(content_type));
  headers.emplace_back("x-request-id", id_);
  if (dialect_ == Dialect::anthropic) headers.emplace_back("request-id", id_);
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.insert(headers.end(), answer_headers_.begin(), answer_headers_.end());
  return headers;
}

void Connection::send_whole(std::uint64_t number, HttpResponse response) {
  if (closed_ || number != number_ || !answering_) return;
  keep_alive_ = keep_alive_ && !client_left_ && site_.service.readiness != Readiness::draining;
  Headers headers = common_headers(std::move(response.content_type));
  if (response.status != 204) headers.emplace_back("Content-Length", std::to_string(response.body.size()));
  for (auto& header : response.headers) headers.push_back(std::move(header));
  if (!keep_alive_)
    headers.emplace_back("Connection", "close");
  else if (minor_version_ == 0)
    headers.emplace_back("Connection", "keep-alive");
  std::string bytes = response_head(response.status, headers);
  if (!head_only_ && response.status != 204) bytes += response.body;
  append(bytes);
  finish_answer();
}

void Connection::send_stream_head(std::uint64_t number, int status, std::string content_type, Headers extra) {
  if (closed_ || number != number_ || !answering_) return;
  keep_alive_ = keep_alive_ && !client_left_ && site_.service.readiness != Readiness::draining &&
                minor_version_ == 1;  // HTTP/1.0 knows the end by the close
  chunked_ = minor_version_ == 1;
  streaming_ = true;
  Headers headers = common_headers(std::move(content_type));
  headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("X-Accel-Buffering", "no");
  if (chunked_) headers.emplace_back("Transfer-Encoding", "chunked");
  for (auto& header : extra) {
    const auto known = [&header](const auto& other) { return same_header_name(other.first, header.first); };
    if (std::none_of(headers.begin(), headers.end(), known)) headers.push_back(std::move(header));
  }
  if (!keep_alive_) headers.emplace_back("Connection", "close");
  append(response_head(status, headers));
}

void Connection::send_piece(std::uint64_t number, std::string_view bytes) {
  if (closed_ || number != number_ || !answering_ || head_only_) return;
  if (!chunked_) return append(bytes);
  out_ += fmt::format("{:x}\r\n", bytes.size());
  out_ += bytes;
  append("\r\n");
}

void Connection::send_end(std::uint64_t number) {
  if (closed_ || number != number_ || !answering_) return;
  if (chunked_ && !head_only_) append("0\r\n\r\n");
  finish_answer();
}

// Whoever was to answer is gone. Nothing may be said twice: after the head of a stream only the connection's end tells the client.
void Connection::answer_lost(std::uint64_t number, bool left) {
  if (closed_ || number != number_ || !answering_) return;
  if (left) return close();
  keep_alive_ = false;
  if (streaming_) return close();
  send_whole(number, error_response({Condition::internal, "the server failed; its log says why"}, dialect_, id_));
}

void Connection::finish_answer() {
  answering_ = false;
  chunked_ = streaming_ = false;
  answer_.reset();
  answer_headers_.clear();
  endpoint_ = nullptr;
  id_.clear();
  if (!keep_alive_ || client_left_) close_after_sending_ = true;
  watch_output();
  if (close_after_sending_) {
    unread_ = {};
    if (waiting_bytes() == 0) finish_sending();
    return;
  }
  set_deadline(site_.limits.idle_ms, &Connection::on_idle);
  consume_unread();  // or consume() itself goes on
}

// Writing.

void Connection::append(std::string_view bytes) {
  out_ += bytes;
  if (const auto answer = answer_.lock()) answer->set_queued(waiting_bytes());
  watch_output();
  write_more();
}

void Connection::write_more() {
  if (writing_ || closed_) return;
  if (sent_ == sending_.size()) {
    sending_.clear();
    sent_ = 0;
    if (sending_.capacity() > keep_buffer_bytes) sending_ = {};
    std::swap(out_, sending_);
  }
  if (sending_.empty()) return;
  writing_ = true;
  transport_->write(std::string_view(sending_).substr(sent_), [self = shared_from_this()](Ended ended, std::size_t taken) {
    self->writing_ = false;
    if (!self->closed_) self->on_written(ended, taken);
  });
}

void Connection::on_written(Ended ended, std::size_t taken) {
  if (ended != Ended::no) return close();
  sent_ += taken;
  taken_bytes_ += static_cast<std::int64_t>(taken);
  write_more();
  watch_output();
  if (const auto answer = answer_.lock()) answer->set_queued(waiting_bytes());
  if (closed_) return;
  if (waiting_bytes() == 0 && close_after_sending_ && !answering_) finish_sending();
  consume_unread();
}

// All is sent. What the client is still sending is read for a moment: closing at once would make its side drop our last words.
void Connection::finish_sending() {
  if (client_left_) return close();
  lingering_ = true;
  transport_->shut_sending();
  set_deadline(linger_ms, &Connection::on_lingered);
}

// A client that lets much wait, or does not take the end of its answer, is cut off when it reads too slowly for a whole window.
void Connection::watch_output() {
  const auto waiting = static_cast<std::int64_t>(waiting_bytes());
  const bool watched = output_full() || (!answering_ && waiting > 0);
  if (!watched) return output_window_.reset();
  if (output_window_) return;
  taken_at_window_ = taken_bytes_;
  output_window_ = loop_->after(std::chrono::milliseconds(site_.limits.output_stall_ms), [weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && !self->closed_) self->on_output_window();
  });
}

void Connection::on_output_window() {
  output_window_.reset();
  if (taken_bytes_ - taken_at_window_ < least_output_bytes_per_s * site_.limits.output_stall_ms / 1000) return close();
  watch_output();
}

}  // namespace qn::api
