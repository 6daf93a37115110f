// Where a server is, as users write it for Ollama.
#pragma once

#include <string_view>

#include "api/http/server.h"

namespace qn::cli {

// "127.0.0.1:8080", ":11434" (all addresses), "0.0.0.0", "http://host" (port 80), "https://host" (443), "[::1]:80", "/run/quern.sock".
//   returns  the address; port 11434 where none is said
//   errors   bad_input: a port that is none
Result<api::ListenAddress> read_host_address(std::string_view text);

}  // namespace qn::cli
