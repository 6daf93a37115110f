// Load: requests against a running server, so many at a time or so many a second, from one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/bench/serve/prompts.h"
#include "cli/bench/serve/reply_record.h"

namespace qn::cli {

struct Target {
  std::string base_url;  // "http://127.0.0.1:11434", no slash at its end
  std::string endpoint = "/v1/chat/completions";
  std::string model;
  std::string api_key;                        // empty: none
  std::chrono::milliseconds timeout{600000};  // of one request
  bool is_chat() const { return endpoint.ends_with("/chat/completions"); }
};

struct LoadOptions {
  int requests = 1;
  int concurrency = 1;                                              // at a time, at most
  std::optional<double> rate_per_s = {};                            // of a Poisson process; none: as soon as another one ends
  int prompt_tokens = 128, prefix_tokens = 0, output_tokens = 128;  // the prefix is the same in all of them
  bool ignore_end = true;                                           // replies are as long as asked for, whatever the model would like
  double temperature = 0;
  json::Object extra = {};  // further fields of each request
  std::uint64_t seed = 0;
  std::uint64_t run = 0;  // of several with one seed: each has prompts of its own
};

struct LoadRecord {
  std::vector<ReplyRecord> replies;  // in the order of sending
  Moment began{}, ended{};           // first sent, last ended
  int most_at_once = 0;
  double client_cpu_s = 0;  // what this program took meanwhile
  bool interrupted = false;
};

// The body of one request.
std::string request_body(const Target& target, const LoadOptions& options, const TokenRate& rate, std::uint64_t index);

// Asks the server what its models are called.
//   errors   io; not_found: it has none
Result<std::string> first_model(const Target& target);

// Two requests of different lengths say how many tokens a word makes.
//   errors   io, internal: the server's words; bad_input: it tells no usage
Result<TokenRate> calibrate(const Target& target, const LoadOptions& options);

// Runs until all have ended or the user stops it. `progress` is called now and then with how many have ended; false stops.
LoadRecord run_load(const Target& target, const LoadOptions& options, const TokenRate& rate, const std::function<bool(int)>& progress);

}  // namespace qn::cli
