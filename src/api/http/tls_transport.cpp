#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "api/http/socket_transport.h"

namespace qn::api {

// Shared by the connections that began with it: a reload gives new ones another.
class TlsContext {
 public:
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
};

namespace {

using BoostError = boost::system::error_code;
namespace ssl = boost::asio::ssl;

constexpr std::size_t read_bytes = 4 << 10;  // kept for each connection, idle or not; a record may come in pieces

// We speak HTTP/1.1 only; a client that offers other protocols alone goes on without one.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned int in_size, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours, in, in_size) != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(Socket socket, std::shared_ptr<TlsContext> tls) : state_(std::make_shared<State>(std::move(socket), std::move(tls))) {}
  ~TlsTransport() override { close(); }

  void start(std::function<void(Ended)> ready) override {
    state_->stream.async_handshake(ssl::stream_base::server, [state = state_, ready = std::move(ready)](const BoostError& error) {
      if (!state->closed) ready(error ? Ended::broken : Ended::no);
    });
  }

  void read(std::function<void(Ended, std::string_view)> callback) override {
    state_->stream.async_read_some(boost::asio::buffer(state_->bytes),
                                   [state = state_, callback = std::move(callback)](const BoostError& error, std::size_t size) {
                                     if (state->closed) return;
                                     // Without close_notify the end is as good: HTTP knows its own lengths.
                                     const bool orderly = error == boost::asio::error::eof || error == ssl::error::stream_truncated;
                                     const Ended ended = !error ? Ended::no : orderly ? Ended::orderly : Ended::broken;
                                     callback(ended, std::string_view(state->bytes.data(), size));
                                   });
  }

  void write(std::string_view bytes, std::function<void(Ended, std::size_t)> callback) override {
    state_->stream.async_write_some(boost::asio::buffer(bytes.data(), bytes.size()),
                                    [state = state_, callback = std::move(callback)](const BoostError& error, std::size_t taken) {
                                      if (!state->closed) callback(error ? Ended::broken : Ended::no, taken);
                                    });
  }

  void shut_sending() override {
    state_->stream.async_shutdown([state = state_](const BoostError&) {
      BoostError ignored;
      if (!state->closed) state->stream.next_layer().shutdown(Socket::shutdown_send, ignored);
    });
  }

  void close() override {
    if (std::exchange(state_->closed, true)) return;
    BoostError ignored;
    state_->stream.next_layer().close(ignored);
  }

 private:
  struct State {
    State(Socket socket, std::shared_ptr<TlsContext> t) : tls(std::move(t)), stream(std::move(socket), tls->context) {}
    std::shared_ptr<TlsContext> tls;
    ssl::stream<Socket> stream;
    std::array<char, read_bytes> bytes;
    bool closed = false;
  };
  std::shared_ptr<State> state_;  // shared with operations under way
};

}  // namespace

Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files) {
  auto tls = std::make_shared<TlsContext>();
  BoostError error;
  tls->context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                               ssl::context::no_tlsv1_1 | ssl::context::single_dh_use,
                           error);
  SSL_CTX_set_mode(tls->context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(tls->context.native_handle(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_alpn_select_cb(tls->context.native_handle(), choose_protocol, nullptr);
  tls->context.use_certificate_chain_file(files.certificate.string(), error);
  if (error)
    return fail(Code::bad_input, "--tls-cert {}: {}; give a PEM file with the certificate and its chain", files.certificate.string(),
                error.message());
  tls->context.use_private_key_file(files.key.string(), ssl::context::pem, error);
  if (error)
    return fail(Code::bad_input, "--tls-key {}: {}; give the PEM file of the certificate's key, not encrypted", files.key.string(),
                error.message());
  if (SSL_CTX_check_private_key(tls->context.native_handle()) != 1)
    return fail(Code::bad_input, "--tls-key {}: is not the key of {}; give the pair", files.key.string(), files.certificate.string());
  return tls;
}

std::unique_ptr<Transport> make_tls_transport(Socket socket, std::shared_ptr<TlsContext> tls) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(tls));
}

}  // namespace qn::api
