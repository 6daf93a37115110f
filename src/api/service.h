// Service: what endpoints work with. One for a server; outlives it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/http_counts.h"

namespace qn::api {

enum class Readiness { loading, ready, draining };

struct Service {
  std::string version;  // "0.1.0"
  std::atomic<Readiness> readiness = Readiness::loading;
  HttpCounts http;                                           // by the server
  std::function<bool()> engine_turns = [] { return true; };  // false: the engine's loop has stopped turning (any thread may ask)
};

}  // namespace qn::api
