// Service: what endpoints work with. One for a server; outlives it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/http_counts.h"

namespace qn::serve {
class ModelHost;
}

namespace qn::api {

enum class Readiness { loading, ready, draining };

class Workers;
struct Run;

struct Service {
  std::string version;  // "0.1.0"
  std::atomic<Readiness> readiness = Readiness::loading;
  HttpCounts http;                                           // by the server
  serve::ModelHost* models = nullptr;                        // borrowed
  Workers* workers = nullptr;                                // borrowed
  int draft_tokens = 0;                                      // speculation: guesses a step
  std::function<void(const Run&)> finished;                  // on the I/O thread, for every job that ran; for metrics
  std::function<bool()> engine_turns = [] { return true; };  // false: the engine's loop has stopped turning (any thread may ask)
};

}  // namespace qn::api
