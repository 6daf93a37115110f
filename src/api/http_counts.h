// HttpCounts: what the server has done, for GET /metrics. On the I/O thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace qn::api {

struct HttpCounts {
  // By route (an endpoint's first path, or "other": never what a client made up) and status.
  std::map<std::pair<std::string, int>, std::uint64_t, std::less<>> requests;
  std::uint64_t sent_bytes = 0;  // of bodies
  int in_flight = 0;             // requests being answered
  int connections = 0;

  void add(std::string_view route, int status, std::uint64_t bytes) {
    ++requests[{std::string(route), status}];
    sent_bytes += bytes;
  }
};

}  // namespace qn::api
