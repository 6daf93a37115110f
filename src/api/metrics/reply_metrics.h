// ReplyMetrics: what became of replies, by model: how long they took, how long they were. Counters of the engine's are not here: they are
// asked for when somebody looks (api/native/metrics.cpp).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "api/metrics/histogram.h"

namespace qn::api {

struct Run;

struct ModelReplies {
  ModelReplies();

  std::uint64_t stopped = 0, full = 0, aborted = 0;  // replies: ended by themselves, by a limit, by the client or a failure
  double prompt_seconds = 0, reply_seconds = 0;      // reading prompts, writing replies
  std::uint64_t computed_tokens = 0;                 // of prompts, not found in the cache
  std::uint64_t reply_tokens = 0;
  std::uint64_t longest = 0;  // prompt and reply together

  Histogram first_token, between_tokens, each_token;          // seconds
  Histogram whole, queued, computing, reading, writing;       // seconds
  Histogram prompt_tokens, reply_tokens_each, longest_reply;  // tokens
  Histogram asked_choices, asked_tokens;                      // of requests
};

class ReplyMetrics {
 public:
  void add(const Run& run);  // any thread; cheap

  std::map<std::string, ModelReplies> by_model() const;  // a copy

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ModelReplies> models_;
};

}  // namespace qn::api
