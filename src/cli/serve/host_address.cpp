#include "cli/serve/host_address.h"

#include <charconv>

namespace qn::cli {
namespace {

constexpr std::uint16_t default_port = 11434;

}  // namespace

Result<api::ListenAddress> read_host_address(std::string_view text) {
  const std::string_view whole = text;
  api::ListenAddress address{.host = {}, .port = default_port};
  if (text.starts_with("unix:") || text.ends_with(".sock")) {
    address.host = text;
    return address;
  }
  if (text.starts_with("http://")) {
    text.remove_prefix(7);
    address.port = 80;
  } else if (text.starts_with("https://")) {
    text.remove_prefix(8);
    address.port = 443;
  }
  text = text.substr(0, text.find('/'));
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    address.host = text.substr(1, close == std::string_view::npos ? close : close - 1);
    if (close != std::string_view::npos && text.substr(close + 1).starts_with(':')) port = text.substr(close + 2);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    address.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (address.host.empty()) address.host = "*";
  } else {
    address.host = text;  // no port, or an IPv6 address without brackets
  }
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size())
      return fail(Code::bad_input, "{}: {} is no port; give a number up to 65535", qn::quoted(whole, 128), qn::quoted(port));
  }
  if (address.host.empty()) address.host = "127.0.0.1";
  return address;
}

}  // namespace qn::cli
