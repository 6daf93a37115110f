// HttpClient: many HTTP requests at once, from one thread. Bytes come and requests end inside poll() only, so callers need no locks.
// Invariant: every request that was started is told its end exactly once, unless the client goes first.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace qn::store {

struct ClientRequest {
  std::string url;                                                            // http or https; redirects are not followed
  std::optional<std::string> body = {};                                       // with one it is a POST, without a GET
  std::vector<std::string> headers = {};                                      // "name: value"
  std::chrono::milliseconds timeout{0};                                       // for all of it; 0: none
  enum class Route { by_environment, direct } route = Route::by_environment;  // the proxies that the environment names, or none
};

struct ClientHandlers {
  std::function<bool(std::string_view)> data;  // bytes of the reply's body, as they come; false ends the request
  std::function<void(Result<int>)> done;       // the status, or io: what went wrong; may start further requests
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void start(ClientRequest request, ClientHandlers handlers);

  // Waits until something happens, at most so long, and tells the handlers.
  void poll(std::chrono::milliseconds longest);

  std::size_t running() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

// One request whose whole reply is wanted.
struct ClientReply {
  int status = 0;
  std::string body;
};
//   errors   io; too_large: more than max_bytes
Result<ClientReply> fetch(ClientRequest request, std::size_t max_bytes = std::size_t{64} << 20);

}  // namespace qn::store
