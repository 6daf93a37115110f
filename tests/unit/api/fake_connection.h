// A connection without sockets: a loop that runs when told, a clock that stands still, and a client that is a string each way.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "api/http/connection.h"

namespace qn::api {

class FakeLoop final : public IoLoop {
 public:
  void post(std::function<void()> work) override { work_.push_back(std::move(work)); }
  bool is_loop_thread() const override { return true; }
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> callback) override;
  std::chrono::nanoseconds now() const override { return now_; }

  void run();                                 // all that is posted, and what that posts
  void pass(std::chrono::milliseconds time);  // timers fire in order
  std::size_t timers() const { return timers_.size(); }

 private:
  struct FakeTimer;
  using Timers = std::multimap<std::chrono::nanoseconds, FakeTimer*>;
  std::deque<std::function<void()>> work_;
  std::chrono::nanoseconds now_{0};
  Timers timers_;
};

// The client's side.
struct FakeClient {
  std::string received;
  bool closed = false;          // by the server
  bool end_seen = false;        // the server sends no more
  std::size_t takes = 1 << 30;  // how many bytes it still reads

  std::function<void(Ended, std::string_view)> reader;
  std::string_view waiting;
  std::function<void(Ended, std::size_t)> writer;
};

// A site, a loop, a client and the connection between them.
class FakeServer {
 public:
  explicit FakeServer(std::vector<Endpoint> endpoints, Limits limits = {}, GateOptions gate = {}, KeyRing keys = {});

  void connect();
  void send(std::string_view bytes);  // all at once; the loop runs until it is idle
  void leave(Ended how = Ended::orderly);
  void read(std::size_t bytes);  // the client takes so many more

  // What came back, and then nothing of it.
  std::string take_received() { return std::exchange(client->received, {}); }

  std::shared_ptr<FakeLoop> loop = std::make_shared<FakeLoop>();
  Service service;
  Site site;
  std::shared_ptr<FakeClient> client;
  std::shared_ptr<Connection> connection;
  std::vector<std::string> record_lines;  // "GET /path 200"
  int in_flight = 0, closed = 0;
};

}  // namespace qn::api
