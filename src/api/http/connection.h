// Connection: one client, request after request. Bytes in through the parser, the head through the gate, answers out in the order of
// requests. While a request is being answered it keeps reading, so that a client that leaves is noticed at once; what it reads then waits
// its turn. Invariant: at most one answer is under way; what it has not sent is in `out_` and `sending_`; after close() nothing happens any
// more.
#pragma once

#include <memory>
#include <string>

#include "api/http/answer.h"
#include "api/http/transport.h"

namespace qn::api {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // on_closed: called once, when the client is gone.
  Connection(std::shared_ptr<IoLoop> loop, Site& site, std::unique_ptr<Transport> transport, std::string client,
             std::function<void(Connection*)> on_closed);
  ~Connection();

  void start();
  void refuse(const ApiError& error);  // in place of start(): one answer, then close
  void drain();                        // ends now if nothing is being read or answered
  void fail_answer(const ApiError& error);
  void close();
  bool sending() const { return waiting_bytes() > 0; }

  // By the answer of this number; nothing happens once another's turn has come.
  void send_whole(std::uint64_t number, HttpResponse response);
  void send_stream_head(std::uint64_t number, int status, std::string content_type, Headers headers);
  void send_piece(std::uint64_t number, std::string_view bytes);
  void send_end(std::uint64_t number);
  void answer_lost(std::uint64_t number, bool closed);

 private:
  void read_more();
  void on_read(Ended ended, std::string_view bytes);
  void on_client_left();
  void consume(std::string_view bytes);
  void consume_unread();
  void on_head();
  void on_request();
  void refuse_request(const ApiError& error);
  void send_refusal(HttpResponse response);
  void finish_answer();
  void set_deadline(std::int64_t ms, void (Connection::*expired)());
  void on_idle();
  void on_slow_header();
  void on_body_tick();
  void on_lingered() { close(); }
  void hold_body_bytes(std::int64_t bytes);

  Headers common_headers(std::string content_type) const;
  void append(std::string_view bytes);
  void write_more();
  void on_written(Ended ended, std::size_t taken);
  void watch_output();
  bool output_full() const { return static_cast<std::int64_t>(waiting_bytes()) >= site_.limits.output_backlog_bytes; }
  void on_output_window();
  std::size_t waiting_bytes() const { return out_.size() + sending_.size() - sent_; }
  void finish_sending();

  const std::shared_ptr<IoLoop> loop_;
  Site& site_;
  const std::unique_ptr<Transport> transport_;
  const std::string client_;
  const std::function<void(Connection*)> on_closed_;

  RequestParser parser_;
  std::string unread_;  // read while another request was being answered, or its answer not taken
  bool reading_ = false, consuming_ = false, closed_ = false, client_left_ = false;
  bool lingering_ = false, close_after_sending_ = false;
  std::unique_ptr<Timer> deadline_;
  std::chrono::nanoseconds body_began_{};
  std::int64_t body_bytes_held_ = 0;

  // The answer under way.
  bool answering_ = false;
  std::uint64_t number_ = 0;
  std::weak_ptr<Answer> answer_;
  const Endpoint* endpoint_ = nullptr;
  Dialect dialect_ = Dialect::native;
  std::string id_, method_;
  Headers answer_headers_;
  KnownKey key_;
  std::string rest_;
  int minor_version_ = 1;
  bool head_only_ = false, keep_alive_ = true, chunked_ = false, streaming_ = false;

  std::string out_, sending_;
  std::size_t sent_ = 0;  // of sending_
  bool writing_ = false;
  std::int64_t taken_bytes_ = 0, taken_at_window_ = 0;
  std::unique_ptr<Timer> output_window_;
};

}  // namespace qn::api
