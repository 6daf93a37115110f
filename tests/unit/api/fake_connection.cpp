#include "fake_connection.h"

#include "base/format.h"

namespace qn::api {

struct FakeLoop::FakeTimer final : Timer {
  FakeTimer(FakeLoop& l, std::function<void()> c) : loop(l), callback(std::move(c)) {}
  ~FakeTimer() override {
    if (!done) loop.timers_.erase(place);
  }
  bool fired() const override { return done; }
  FakeLoop& loop;
  std::function<void()> callback;
  Timers::iterator place;
  bool done = false;
};

std::unique_ptr<Timer> FakeLoop::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  auto timer = std::make_unique<FakeTimer>(*this, std::move(callback));
  timer->place = timers_.emplace(now_ + delay, timer.get());
  return timer;
}

void FakeLoop::run() {
  while (!work_.empty()) {
    const auto work = std::move(work_.front());
    work_.pop_front();
    work();
  }
}

void FakeLoop::pass(std::chrono::milliseconds time) {
  const auto end = now_ + time;
  run();
  while (!timers_.empty() && timers_.begin()->first <= end) {
    now_ = timers_.begin()->first;
    FakeTimer* timer = timers_.begin()->second;
    timers_.erase(timers_.begin());
    timer->done = true;
    const auto callback = std::move(timer->callback);
    callback();
    run();
  }
  now_ = end;
}

namespace {

class FakeTransport final : public Transport {
 public:
  FakeTransport(std::shared_ptr<FakeLoop> loop, std::shared_ptr<FakeClient> client) : loop_(std::move(loop)), client_(std::move(client)) {}
  void start(std::function<void(Ended)> ready) override {
    loop_->post([ready = std::move(ready)] { ready(Ended::no); });
  }
  void read(std::function<void(Ended, std::string_view)> callback) override { client_->reader = std::move(callback); }
  void write(std::string_view bytes, std::function<void(Ended, std::size_t)> callback) override {
    client_->waiting = bytes;
    client_->writer = std::move(callback);
    loop_->post([client = client_] { give(*client); });
  }
  void shut_sending() override { client_->end_seen = true; }
  void close() override {
    client_->closed = true;
    client_->reader = nullptr;
    client_->writer = nullptr;
  }

  static void give(FakeClient& client) {
    if (!client.writer || client.takes == 0) return;
    const std::size_t count = std::min(client.takes, client.waiting.size());
    client.received += client.waiting.substr(0, count);
    client.takes -= count;
    const auto writer = std::exchange(client.writer, nullptr);
    writer(Ended::no, count);
  }

 private:
  std::shared_ptr<FakeLoop> loop_;
  std::shared_ptr<FakeClient> client_;
};

}  // namespace

FakeServer::FakeServer(std::vector<Endpoint> endpoints, Limits limits, GateOptions gate, KeyRing keys)
    : site(limits, Gate(std::move(gate), std::move(keys)), std::move(endpoints), service) {
  service.version = "1.2.3";
  service.readiness = Readiness::ready;
  site.date = [] { return std::string("Fri, 20 Nov 2026 14:00:00 GMT"); };
  site.on_request = [this](const AccessRecord& record) {
    record_lines.push_back(fmt::format("{} {} {}", record.method, record.path, record.status));
  };
  site.on_in_flight = [this](int change) { in_flight += change; };
  connect();
}

void FakeServer::connect() {
  client = std::make_shared<FakeClient>();
  connection = std::make_shared<Connection>(loop, site, std::make_unique<FakeTransport>(loop, client), "192.0.2.1",
                                            [this](Connection*) { ++closed; });
  connection->start();
  loop->run();
}

void FakeServer::send(std::string_view bytes) {
  if (!client->reader) return;  // closed, or not reading
  const auto reader = std::exchange(client->reader, nullptr);
  reader(Ended::no, bytes);
  loop->run();
}

void FakeServer::leave(Ended how) {
  if (!client->reader) return;
  const auto reader = std::exchange(client->reader, nullptr);
  reader(how, {});
  loop->run();
}

void FakeServer::read(std::size_t bytes) {
  client->takes += bytes;
  FakeTransport::give(*client);
  loop->run();
}

}  // namespace qn::api
