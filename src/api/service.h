// Service: what endpoints work with. One for a server; outlives it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "api/http_counts.h"
#include "api/metrics/names.h"
#include "api/metrics/reply_metrics.h"
#include "serve/model_facts.h"

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
  serve::ModelHost* models = nullptr;  // borrowed
  Workers* workers = nullptr;          // borrowed
  serve::ModelFactShelf facts;         // of files, for listings (any thread)
  int draft_tokens = 0;                // speculation: guesses a step
  MetricNames metric_names = MetricNames::vllm;
  HttpCounts http;                                           // the I/O thread's
  ReplyMetrics replies;                                      // of every job that ran
  std::function<void(const Run&)> finished;                  // likewise, on the I/O thread
  std::function<bool()> engine_turns = [] { return true; };  // false: the engine's loop has stopped turning (any thread may ask)
};

}  // namespace qn::api
