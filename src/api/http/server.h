// Server: listens, keeps the connections, and ends in good order. One thread, the caller's of run(), serves everybody.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/endpoint.h"
#include "api/http/gate.h"
#include "api/http/io_loop.h"
#include "api/http/limits.h"
#include "api/http/tls.h"
#include "api/metrics/names.h"

namespace qn::api {

struct AccessRecord;

struct ListenAddress {
  std::string host = "127.0.0.1";  // an address, a name, "*" for all, or the path of a Unix socket: "run/quern.sock", "unix:/run/quern"
  std::uint16_t port = 11434;      // 0: any free one
};

enum class Openness { keys_beyond_loopback, anyone };  // anyone: --insecure-no-auth

struct ServerOptions {
  std::vector<ListenAddress> listen = {{}};
  Limits limits;
  GateOptions gate;
  std::function<Result<KeyRing>()> load_keys = [] { return KeyRing(); };  // at the start, and on SIGHUP
  std::optional<TlsFiles> tls;
  Openness openness = Openness::keys_beyond_loopback;
  std::chrono::milliseconds drain_time{30'000};
  std::function<void()> on_drain = {};  // on the loop, when it begins
  bool handle_signals = true;           // SIGTERM and SIGINT drain, a second one stops; SIGHUP rereads keys and certificates
  std::function<void(const AccessRecord&)> on_request = {};  // on the loop
  MetricNames metric_names = MetricNames::vllm;              // for the service
};

class Server {
 public:
  // Binds. service outlives the server.
  //   errors   bad_input: what keys, certificates or addresses say that cannot be; io: an address cannot be bound
  static Result<std::unique_ptr<Server>> start(ServerOptions options, std::vector<Endpoint> endpoints, Service& service);
  virtual ~Server() = default;

  // Where it listens: "http://127.0.0.1:11434", "unix:/run/quern.sock". Ports are as bound.
  virtual std::vector<std::string> addresses() const = 0;
  // Serves until it is drained or stopped.
  virtual void run() = 0;

  // From any thread. drain: no new work, what runs may finish within drain_time. stop: at once.
  virtual void drain() = 0;
  virtual void stop() = 0;
  virtual void reload() = 0;
  virtual std::shared_ptr<IoLoop> loop() const = 0;
};

}  // namespace qn::api
