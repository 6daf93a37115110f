// Limits: what the server takes from a client, all in one table. Flags, the guide (docs/server.md) and the tests are made from limit_rows.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace qn::api {

struct Limits {
  std::int64_t request_line_bytes = 8 << 10;  // without its line end, as every line
  std::int64_t header_bytes = 8 << 10;
  std::int64_t all_headers_bytes = 64 << 10;  // with their line ends
  std::int64_t header_count = 100;
  std::int64_t body_bytes = 32 << 20;       // after de-chunking and decompression, and before
  std::int64_t all_bodies_bytes = 1 << 30;  // of all requests that are being read
  std::int64_t header_ms = 10'000;          // from the first byte to the end of the headers
  std::int64_t body_grace_ms = 10'000;      // before the rate below is asked for
  std::int64_t body_bytes_per_s = 1 << 10;
  std::int64_t idle_ms = 60'000;  // between two requests, and before the first
  std::int64_t connections = 4096;
  std::int64_t address_connections = 256;    // from one address of another machine
  std::int64_t loopback_connections = 4096;  // from one address of this machine: a proxy brings everyone
  std::int64_t output_backlog_bytes = 1 << 20;
  std::int64_t output_stall_ms = 30'000;  // a client that has this backlog and reads less than 1 KiB/s over this time is cut off
};

struct LimitRow {
  std::string_view name;  // as --limit NAME=VALUE takes it
  std::string_view input;
  std::string_view beyond;  // what happens
  std::int64_t Limits::*value;
};
inline constexpr LimitRow limit_rows[] = {
    {"request-line-bytes", "the request line", "414, connection closed", &Limits::request_line_bytes},
    {"header-bytes", "one header", "431, connection closed", &Limits::header_bytes},
    {"all-headers-bytes", "all headers", "431, connection closed", &Limits::all_headers_bytes},
    {"header-count", "how many headers", "431, connection closed", &Limits::header_count},
    {"body-bytes", "a body, de-chunked and decompressed", "413, connection closed", &Limits::body_bytes},
    {"all-bodies-bytes", "all bodies being read", "503, connection closed", &Limits::all_bodies_bytes},
    {"header-ms", "from a request's first byte to the end of its headers", "408, connection closed", &Limits::header_ms},
    {"body-grace-ms", "how long a body may be slower than body-bytes-per-s", "408, connection closed", &Limits::body_grace_ms},
    {"body-bytes-per-s", "how fast a body has to come", "408, connection closed", &Limits::body_bytes_per_s},
    {"idle-ms", "a connection without a request", "closed", &Limits::idle_ms},
    {"connections", "connections", "503, closed", &Limits::connections},
    {"address-connections", "connections from one address of another machine", "503, closed", &Limits::address_connections},
    {"loopback-connections", "connections from one address of this machine", "503, closed", &Limits::loopback_connections},
    {"output-backlog-bytes", "what waits for a client to read it", "cancelled and closed after output-stall-ms",
     &Limits::output_backlog_bytes},
    {"output-stall-ms", "how long a client may read less than 1 KiB/s of that", "cancelled and closed", &Limits::output_stall_ms},
};

// "body-bytes=64M": one limit changed. 1k is 1000, 1K is 1024.
//   errors   bad_input: an unknown name, or a value that is no positive number
Status set_limit(Limits& limits, std::string_view assignment);

}  // namespace qn::api
