// Listeners: the addresses a server is bound to.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/http/server.h"
#include "api/http/socket_transport.h"

namespace qn::api {

struct Peer {
  std::string text;       // "192.168.1.7", "::1", "unix"
  bool loopback = false;  // of this machine
  bool counts = true;     // against the limits for one address: a Unix socket has none
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual std::string address() const = 0;                               // "127.0.0.1:11434", "[::1]:11434", "unix:/run/quern.sock"
  virtual bool local() const = 0;                                        // only this machine reaches it
  virtual void accept(std::function<void(Socket, Peer)> on_client) = 0;  // again and again, until close()
  virtual void close() = 0;
};

// A name may stand for several addresses: all that this machine has are bound.
//   errors   bad_input: not an address; io: in use, not ours, no permission
Result<std::vector<std::unique_ptr<Listener>>> listen_at(boost::asio::io_context& context, const ListenAddress& address);

}  // namespace qn::api
