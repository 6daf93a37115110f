#include "api/http/socket_transport.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace qn::api {
namespace {

using Error = boost::system::error_code;
using ReadCallback = std::function<void(Ended, std::string_view)>;

Ended ended_by(const Error& error) {
  if (!error) return Ended::no;
  return error == boost::asio::error::eof ? Ended::orderly : Ended::broken;
}

// Bytes are asked for only once there are some, so that an idle connection needs no buffer.
constexpr std::size_t read_bytes = 32 << 10;

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Socket socket) : state_(std::make_shared<State>(std::move(socket))) {
    Error ignored;
    state_->socket.non_blocking(true, ignored);
  }
  ~PlainTransport() override { close(); }

  void start(std::function<void(Ended)> ready) override {
    boost::asio::post(state_->socket.get_executor(), [state = state_, ready = std::move(ready)] {
      if (!state->closed) ready(Ended::no);
    });
  }

  void read(ReadCallback callback) override { wait(state_, std::move(callback)); }

  void write(std::string_view bytes, std::function<void(Ended, std::size_t)> callback) override {
    state_->socket.async_write_some(boost::asio::buffer(bytes.data(), bytes.size()),
                                    [state = state_, callback = std::move(callback)](const Error& error, std::size_t taken) {
                                      if (!state->closed) callback(error ? Ended::broken : Ended::no, taken);
                                    });
  }

  void shut_sending() override {
    Error ignored;
    state_->socket.shutdown(Socket::shutdown_send, ignored);
  }

  void close() override {
    if (std::exchange(state_->closed, true)) return;
    Error ignored;
    state_->socket.close(ignored);
  }

 private:
  struct State {
    explicit State(Socket s) : socket(std::move(s)) {}
    Socket socket;
    bool closed = false;
  };

  static void wait(std::shared_ptr<State> state, ReadCallback callback) {
    Socket& socket = state->socket;
    socket.async_wait(Socket::wait_read, [state = std::move(state), callback = std::move(callback)](const Error& waited) mutable {
      if (state->closed) return;
      Error error = waited;
      std::array<char, read_bytes> bytes;
      const std::size_t size = error ? 0 : state->socket.read_some(boost::asio::buffer(bytes), error);
      if (error == boost::asio::error::would_block || error == boost::asio::error::try_again || error == boost::asio::error::interrupted)
        return wait(std::move(state), std::move(callback));
      callback(ended_by(error), std::string_view(bytes.data(), size));
    });
  }

  std::shared_ptr<State> state_;  // shared with operations under way
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(Socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace qn::api
