#include "api/http/listener.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.h"

namespace qn::api {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

constexpr int waiting_clients = 1024;
constexpr std::chrono::milliseconds pause_without_descriptors{100};

std::string text_of(const Tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", address, endpoint.port()) : fmt::format("{}:{}", address, endpoint.port());
}

Peer peer_of(const Tcp::endpoint& endpoint) {
  asio::ip::address address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return {address.to_string(), address.is_loopback(), true};
}
Peer peer_of(const Unix::endpoint&) {
  return {"unix", true, false};
}

template <class Protocol>
class SocketListener final : public Listener {
 public:
  SocketListener(asio::io_context& context, typename Protocol::acceptor acceptor, std::string text, bool local, std::string path)
      : state_(std::make_shared<State>(context, std::move(acceptor))), text_(std::move(text)), path_(std::move(path)), local_(local) {}
  ~SocketListener() override { close(); }

  std::string address() const override { return text_; }
  bool local() const override { return local_; }
  void accept(std::function<void(Socket, Peer)> on_client) override { next(state_, std::move(on_client)); }
  void close() override {
    Error ignored;
    if (!state_->acceptor.is_open()) return;
    state_->acceptor.close(ignored);
    state_->pause.cancel();
    if (!path_.empty()) ::unlink(path_.c_str());
  }

 private:
  struct State {
    State(asio::io_context& context, typename Protocol::acceptor a) : acceptor(std::move(a)), pause(context) {}
    typename Protocol::acceptor acceptor;
    asio::steady_timer pause;
    typename Protocol::endpoint peer;
  };

  static void next(std::shared_ptr<State> state, std::function<void(Socket, Peer)> on_client) {
    auto& acceptor = state->acceptor;
    acceptor.async_accept(
        state->peer, [state, on_client = std::move(on_client)](const Error& error, typename Protocol::socket socket) mutable {
          if (!state->acceptor.is_open()) return;
          if (!error) {
            if constexpr (std::is_same_v<Protocol, Tcp>) {
              Error ignored;
              socket.set_option(Tcp::no_delay(true), ignored);
            }
            on_client(Socket(std::move(socket)), peer_of(state->peer));
            return next(std::move(state), std::move(on_client));
          }
          if (error != asio::error::no_descriptors && error != asio::error::no_memory && error != asio::error::no_buffer_space)
            return next(std::move(state), std::move(on_client));  // the client left while it waited
          log::warning("accept_failed error={}", qn::quoted(error.message()));
          auto& pause = state->pause;
          pause.expires_after(pause_without_descriptors);
          pause.async_wait([state = std::move(state), on_client = std::move(on_client)](const Error& ended) mutable {
            if (!ended && state->acceptor.is_open()) next(std::move(state), std::move(on_client));
          });
        });
  }

  std::shared_ptr<State> state_;  // shared with the accept under way
  std::string text_, path_;
  bool local_;
};

tl::unexpected<qn::Error> cannot_listen(const std::string& where, const Error& error) {
  if (error == asio::error::address_in_use)
    return fail(Code::io, "{}: already in use; stop the other server or choose another --port", where);
  return fail(Code::io, "{}: {}; choose another --host or --port", where, error.message());
}

Result<std::unique_ptr<Listener>> listen_tcp(asio::io_context& context, const Tcp::endpoint& endpoint) {
  Tcp::acceptor acceptor(context);
  Error error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(!endpoint.address().is_unspecified()), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(waiting_clients, error);
  if (error) return cannot_listen(text_of(endpoint), error);
  const Tcp::endpoint bound = acceptor.local_endpoint(error);
  const bool local = bound.address().is_loopback();
  return std::make_unique<SocketListener<Tcp>>(context, std::move(acceptor), text_of(bound), local, "");
}

// A socket file that nobody listens at is left over from a server that was killed.
void remove_stale_socket(asio::io_context& context, const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  Unix::socket probe(context);
  Error error;
  probe.connect(Unix::endpoint(path), error);
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

Result<std::unique_ptr<Listener>> listen_unix(asio::io_context& context, const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(Code::bad_input, "--host unix:{}: a path of {} bytes; the system takes 1 to {}", path, path.size(),
                sizeof(sockaddr_un::sun_path) - 1);
  remove_stale_socket(context, path);
  Unix::acceptor acceptor(context);
  Error error;
  acceptor.open(Unix(), error);
  if (!error) acceptor.bind(Unix::endpoint(path), error);
  if (!error) acceptor.listen(waiting_clients, error);
  if (error) return cannot_listen("unix:" + path, error);
  return std::make_unique<SocketListener<Unix>>(context, std::move(acceptor), "unix:" + path, true, path);
}

}  // namespace

Result<std::vector<std::unique_ptr<Listener>>> listen_at(asio::io_context& context, const ListenAddress& address) {
  std::vector<std::unique_ptr<Listener>> listeners;
  std::string host = address.host;
  if (host.starts_with("unix:") || host.ends_with(".sock")) {
    QN_TRY(auto listener, listen_unix(context, host.starts_with("unix:") ? host.substr(5) : host));
    listeners.push_back(std::move(listener));
    return listeners;
  }
  if (host == "*" || host.empty()) host = "::";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);

  std::vector<Tcp::endpoint> endpoints;
  Error error;
  const asio::ip::address literal = asio::ip::make_address(host, error);
  if (!error) {
    endpoints.emplace_back(literal, address.port);
  } else {
    Tcp::resolver resolver(context);
    for (const auto& found : resolver.resolve(host, std::to_string(address.port), Tcp::resolver::passive, error))
      endpoints.push_back(found.endpoint());
    if (endpoints.empty())
      return fail(Code::bad_input, "--host {}: no address of that name; give an address of this machine", qn::quoted(host));
  }
  std::optional<qn::Error> first_error;
  for (Tcp::endpoint endpoint : endpoints) {
    Result<std::unique_ptr<Listener>> listener = listen_tcp(context, endpoint);
    if (!listener && host == "::" && address.host != "::")  // a machine without IPv6
      listener = listen_tcp(context, Tcp::endpoint(asio::ip::address_v4::any(), endpoint.port()));
    if (listener)
      listeners.push_back(*std::move(listener));
    else if (!first_error)
      first_error = listener.error();
  }
  if (listeners.empty()) return tl::unexpected<qn::Error>(*std::move(first_error));
  return listeners;
}

}  // namespace qn::api
