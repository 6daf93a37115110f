#include "api/http/server.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <unordered_map>

#include "api/http/asio_loop.h"
#include "api/http/connection.h"
#include "api/http/listener.h"
#include "api/http/response_head.h"
#include "base/log.h"

namespace qn::api {
namespace {

constexpr std::size_t max_refused = 64;  // connections that are only being told that there are too many
constexpr std::chrono::milliseconds last_words_time{1000}, drain_look{20};

class AsioServer final : public Server {
 public:
  AsioServer(ServerOptions options, KeyRing keys, std::vector<Endpoint> endpoints, Service& service)
      : options_(std::move(options)),
        loop_(std::make_shared<AsioLoop>()),
        site_(options_.limits, Gate(options_.gate, std::move(keys)), std::move(endpoints), service),
        signals_(loop_->context()) {
    site_.date = [date = std::make_shared<HttpDate>()] { return date->now(); };
    site_.on_request = [this](const AccessRecord& record) {
      counts().add(record.route, record.status, static_cast<std::uint64_t>(record.sent_bytes));
      if (options_.on_request) options_.on_request(record);
    };
    site_.on_in_flight = [this](int change) { counts().in_flight += change; };
  }

  ~AsioServer() override {
    listeners_.clear();
    signals_.clear();
    drain_timer_.reset();
    close_all();
    loop_->finish();
  }

  Status bind() {
    // Before anybody can know that we listen: a signal that comes now waits for run().
    if (options_.handle_signals)
      for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    bool local = true;
    for (const ListenAddress& address : options_.listen) {
      QN_TRY(auto listeners, listen_at(loop_->context(), address));
      for (auto& listener : listeners) {
        local = local && listener->local();
        listeners_.push_back(std::move(listener));
      }
    }
    if (!local) site_.gate.answer_to_single_label_names();
    if (!local && !site_.gate.has_keys() && options_.openness == Openness::keys_beyond_loopback)
      return fail(Code::bad_input,
                  "{}: other machines reach this address, and no API key is set; set one with --api-key, or give --insecure-no-auth",
                  listeners_.back()->address());
    return {};
  }
  void use_tls(std::shared_ptr<TlsContext> tls) { tls_ = std::move(tls); }

  std::vector<std::string> addresses() const override {
    std::vector<std::string> texts;
    for (const auto& listener : listeners_) {
      const std::string text = listener->address();
      texts.push_back(text.starts_with("unix:") ? text : fmt::format("{}://{}", tls_ ? "https" : "http", text));
    }
    return texts;
  }

  void run() override {
    if (options_.handle_signals) wait_for_signal();
    for (const auto& listener : listeners_) listener->accept([this](Socket socket, Peer peer) { on_client(std::move(socket), peer); });
    loop_->run();
  }

  void drain() override {
    loop_->post([this] { begin_drain(); });
  }
  void stop() override {
    loop_->post([this] { stop_now(); });
  }
  void reload() override {
    loop_->post([this] { read_again(); });
  }
  std::shared_ptr<IoLoop> loop() const override { return loop_; }

 private:
  struct Client {
    std::shared_ptr<Connection> connection;
    std::string address;  // "" where it does not count
    bool refused = false;
  };

  void on_client(Socket socket, const Peer& peer) {
    const Limits& limits = options_.limits;
    const bool full = static_cast<std::int64_t>(clients_.size()) >= limits.connections;
    const std::int64_t most_of_address = peer.loopback ? limits.loopback_connections : limits.address_connections;
    const bool address_full = peer.counts && addresses_[peer.text] >= most_of_address;
    if ((full || address_full) && refused_ >= max_refused) {
      forget_address(peer.text, 0);
      return;  // the socket closes
    }
    auto transport = tls_ && peer.counts ? make_tls_transport(std::move(socket), tls_) : make_plain_transport(std::move(socket));
    const auto connection =
        std::make_shared<Connection>(loop_, site_, std::move(transport), peer.text, [this](Connection* c) { on_closed(c); });
    clients_.emplace(connection.get(), Client{connection, peer.counts ? peer.text : "", full || address_full});
    if (peer.counts) ++addresses_[peer.text];
    ++counts().connections;
    if (full || address_full) {
      ++refused_;
      connection->refuse({Condition::overloaded, full ? "the server has as many connections as it takes; try again later"
                                                      : "too many connections from this address; close some, or try again later"});
    } else {
      connection->start();
    }
  }

  HttpCounts& counts() { return site_.service.http; }

  void forget_address(const std::string& address, int change) {
    const auto found = addresses_.find(address);
    if (found == addresses_.end()) return;
    found->second += change;
    if (found->second <= 0) addresses_.erase(found);
  }

  void on_closed(Connection* connection) {
    const auto found = clients_.find(connection);
    if (found == clients_.end()) return;
    if (!found->second.address.empty()) forget_address(found->second.address, -1);
    if (found->second.refused) --refused_;
    clients_.erase(found);
    --counts().connections;
  }

  void close_all() {
    while (!clients_.empty()) {
      const std::shared_ptr<Connection> connection = clients_.begin()->second.connection;
      connection->close();
    }
  }

  std::vector<std::shared_ptr<Connection>> all_connections() const {
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [key, client] : clients_) all.push_back(client.connection);
    return all;
  }

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP)
        read_again();
      else if (draining_)
        stop_now();
      else
        begin_drain();
      wait_for_signal();
    });
  }

  // Health stays reachable until the end: listeners close last.
  void begin_drain() {
    if (draining_) return;
    draining_ = true;
    site_.service.readiness = Readiness::draining;
    if (options_.on_drain) options_.on_drain();
    log::info("draining in_flight={} connections={}", counts().in_flight, clients_.size());
    for (const auto& connection : all_connections()) connection->drain();
    drain_end_ = loop_->now() + options_.drain_time;
    look_whether_drained();
  }

  void look_whether_drained() {
    bool busy = counts().in_flight > 0;
    for (const auto& [key, client] : clients_) busy = busy || client.connection->sending();
    if (!busy) return stop_now();
    if (loop_->now() >= drain_end_) {
      if (last_words_said_) return stop_now();
      last_words_said_ = true;
      drain_end_ = loop_->now() + last_words_time;
      for (const auto& connection : all_connections())
        connection->fail_answer({Condition::overloaded, "the server is being stopped; try again later"});
    }
    drain_timer_ = loop_->after(drain_look, [this] { look_whether_drained(); });
  }

  void stop_now() {
    for (const auto& listener : listeners_) listener->close();
    close_all();
    loop_->stop();
  }

  void read_again() {
    Result<KeyRing> keys = options_.load_keys();
    if (!keys) {
      log::warning("reload_failed error={}", qn::quoted(keys.error().message, 512));
    } else if (keys->empty() && site_.gate.has_keys()) {
      log::warning("reload_failed error='the keys are gone; the old ones stay'");  // an empty file must not open the server
    } else {
      log::info("keys_reloaded count={}", keys->size());
      site_.gate.set_keys(*std::move(keys));
    }
    if (!options_.tls) return;
    auto tls = load_tls(*options_.tls);
    if (!tls) {
      log::warning("reload_failed error={}", qn::quoted(tls.error().message, 512));
      return;
    }
    tls_ = *std::move(tls);
    log::info("certificate_reloaded");
  }

  ServerOptions options_;
  std::shared_ptr<AsioLoop> loop_;  // shared with answers, which may outlive us
  Site site_;
  std::shared_ptr<TlsContext> tls_;  // shared with the connections that began with it
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Connection*, Client> clients_;
  std::unordered_map<std::string, std::int64_t> addresses_;  // how many connections of each
  std::size_t refused_ = 0;
  bool draining_ = false, last_words_said_ = false;
  std::chrono::nanoseconds drain_end_{};
  std::unique_ptr<Timer> drain_timer_;
  boost::asio::signal_set signals_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, std::vector<Endpoint> endpoints, Service& service) {
  for (const std::string& origin : options.gate.origins) QN_OK(check_origin_pattern(origin));
  QN_TRY(KeyRing keys, options.load_keys());
  std::shared_ptr<TlsContext> tls;
  if (options.tls) {
    QN_TRY(tls, load_tls(*options.tls));
  }
  service.metric_names = options.metric_names;
  auto server = std::make_unique<AsioServer>(std::move(options), std::move(keys), std::move(endpoints), service);
  server->use_tls(std::move(tls));
  QN_OK(server->bind());
  return server;
}

}  // namespace qn::api
