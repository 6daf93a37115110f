// Transports over a socket: TCP or Unix, plain or TLS.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <memory>

#include "api/http/tls.h"
#include "api/http/transport.h"

namespace qn::api {

using Socket = boost::asio::generic::stream_protocol::socket;

std::unique_ptr<Transport> make_plain_transport(Socket socket);
std::unique_ptr<Transport> make_tls_transport(Socket socket, std::shared_ptr<TlsContext> tls);

}  // namespace qn::api
