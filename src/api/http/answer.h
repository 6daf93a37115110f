// Answer: the Exchange of a connection. What other threads ask of it is posted to the loop, where all of its state lives.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "api/http/io_loop.h"
#include "api/http/site.h"

namespace qn::api {

class Connection;

class Answer final : public Exchange, public std::enable_shared_from_this<Answer> {
 public:
  // loop: shared, since whoever answers may outlive the server. number: which answer of its connection this is.
  Answer(std::shared_ptr<IoLoop> loop, Site& site, std::weak_ptr<Connection> connection, std::uint64_t number, HttpRequest request,
         const Endpoint& endpoint);
  ~Answer() override;

  const HttpRequest& request() const override { return request_; }
  void respond(HttpResponse response) override;
  void begin_stream(int status, std::string content_type, Headers headers) override;
  void write(std::string bytes) override;
  void end() override;
  void fail(ApiError error) override;
  std::size_t backlog() const override { return in_transit_ + queued_; }
  void when_drained(std::function<void()> callback) override;
  void when_closed(std::function<void()> callback) override;
  void post(std::function<void()> work) override { loop_->post(std::move(work)); }
  void after(std::chrono::milliseconds delay, std::function<void()> callback) override;
  void set_notes(RequestNotes notes) override;

  // By the connection, on the loop.
  void set_queued(std::size_t bytes);  // what the socket has not taken
  void close();                        // the client left, or was cut off

 private:
  enum class Phase { waiting, streaming, complete };

  void run(std::function<void()> work);
  void begin(int status, std::string content_type, Headers headers);
  void complete(int status);

  const std::shared_ptr<IoLoop> loop_;
  Site& site_;  // on the loop only
  const std::weak_ptr<Connection> connection_;
  const std::uint64_t number_;
  const HttpRequest request_;
  const Endpoint& endpoint_;  // on the loop only
  const std::chrono::nanoseconds began_;

  std::atomic<std::size_t> in_transit_ = 0, queued_ = 0;
  std::atomic<bool> complete_ = false;

  // On the loop.
  Phase phase_ = Phase::waiting;
  bool closed_ = false;
  int status_ = 0;
  std::int64_t sent_bytes_ = 0;
  RequestNotes notes_;
  std::vector<std::function<void()>> closed_callbacks_;
  std::function<void()> drained_callback_;
  std::vector<std::unique_ptr<Timer>> timers_;
};

}  // namespace qn::api
