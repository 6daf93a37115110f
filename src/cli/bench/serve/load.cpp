#include "cli/bench/serve/load.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "store/http_client.h"

namespace qn::cli {
namespace {

using std::chrono::milliseconds;

// Streams of random words: the requests of run r are r · runs_apart + 1, 2, 3, …; the shared prefix and the calibration have their own.
constexpr std::uint64_t runs_apart = std::uint64_t{1} << 32, prefix_stream = ~std::uint64_t{0}, probe_stream = ~std::uint64_t{1};
constexpr std::uint32_t arrival_stream = 1;
constexpr int probe_words[] = {24, 72};
constexpr milliseconds longest_wait{100};
constexpr std::size_t longest_reply_bytes = std::size_t{256} << 20;

Moment now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<std::string> headers(const Target& target) {
  std::vector<std::string> list{"content-type: application/json", "accept: text/event-stream"};
  if (!target.api_key.empty()) list.push_back("authorization: Bearer " + target.api_key);
  return list;
}

std::string body_of(const Target& target, const LoadOptions& options, const std::string& prefix, const std::string& text) {
  json::Object body{{"model", target.model}};
  if (target.is_chat()) {
    json::Array messages;
    if (!prefix.empty()) messages.push_back(json::Object{{"role", "system"}, {"content", prefix}});
    messages.push_back(json::Object{{"role", "user"}, {"content", text}});
    body["messages"] = std::move(messages);
  } else {
    body["prompt"] = prefix.empty() ? text : prefix + "\n" + text;
  }
  body["max_tokens"] = options.output_tokens;
  body["temperature"] = options.temperature;
  body["stream"] = true;
  body["stream_options"] = json::Object{{"include_usage", true}};
  if (options.ignore_end) body["ignore_eos"] = true;
  for (const auto& [name, value] : options.extra) body[name] = value;
  return json::print(body);
}

store::ClientRequest request(const Target& target, std::string body) {
  return {.url = target.base_url + target.endpoint,
          .body = std::move(body),
          .headers = headers(target),
          .timeout = target.timeout,
          .route = store::ClientRequest::Route::direct};
}

store::ClientHandlers recording(ReplyRecord& record, std::function<void()> ended) {
  return {[&record](std::string_view bytes) {
            record.bytes.append(bytes);
            record.marks.push_back({record.bytes.size(), now()});
            return record.bytes.size() <= longest_reply_bytes;
          },
          [&record, ended = std::move(ended)](Result<int> status) {
            record.ended = now();
            if (status)
              record.status = *status;
            else
              record.failure = status.error();
            ended();
          }};
}

}  // namespace

std::string request_body(const Target& target, const LoadOptions& options, const TokenRate& rate, std::uint64_t index) {
  std::string prefix;
  if (options.prefix_tokens > 0)
    prefix = random_words(TokenRate{0, rate.per_word}.words_for(options.prefix_tokens), options.seed, prefix_stream);
  return body_of(target, options, prefix,
                 random_words(rate.words_for(options.prompt_tokens), options.seed, options.run * runs_apart + index + 1));
}

Result<std::string> first_model(const Target& target) {
  QN_TRY(const store::ClientReply reply, store::fetch({.url = target.base_url + "/v1/models",
                                                       .headers = headers(target),
                                                       .timeout = target.timeout,
                                                       .route = store::ClientRequest::Route::direct}));
  const Result<json::Value> value = json::parse(reply.body);
  if (reply.status == 200 && value && value->is_object()) {
    const json::Value* data = value->as_object().if_contains("data");
    if (data != nullptr && data->is_array() && !data->as_array().empty() && data->as_array().front().is_object()) {
      const json::Value* id = data->as_array().front().as_object().if_contains("id");
      if (id != nullptr && id->is_string()) return std::string(id->as_string());
    }
  }
  return fail(Code::not_found, "{}/v1/models: status {}, and no model in {}; name one with --model", target.base_url, reply.status,
              quoted(reply.body, 120));
}

Result<TokenRate> calibrate(const Target& target, const LoadOptions& options) {
  LoadOptions probe = options;
  probe.output_tokens = 1;
  double tokens[2] = {};
  for (std::size_t i = 0; i < 2; ++i) {
    ReplyRecord record;
    record.sent = now();
    bool ended = false;
    store::HttpClient client;
    const std::string prefix = options.prefix_tokens > 0 ? "time" : "";  // so that the template adds what it will
    client.start(request(target, body_of(target, probe, prefix, random_words(probe_words[i], options.seed, probe_stream - i))),
                 recording(record, [&ended] { ended = true; }));
    while (!ended) client.poll(longest_wait);
    QN_TRY(const ReplyTimes times, read_reply(record));
    tokens[i] = times.prompt_tokens;
  }
  TokenRate rate;
  rate.per_word = (tokens[1] - tokens[0]) / (probe_words[1] - probe_words[0]);
  rate.fixed = tokens[0] - rate.per_word * probe_words[0];
  if (rate.per_word <= 0)
    return fail(Code::bad_input, "{}: {} and {} words made {} and {} prompt tokens; the server has to tell usage in its streams",
                target.base_url + target.endpoint, probe_words[0], probe_words[1], tokens[0], tokens[1]);
  return rate;
}

LoadRecord run_load(const Target& target, const LoadOptions& options, const TokenRate& rate, const std::function<bool(int)>& progress) {
  LoadRecord load;
  const auto count = static_cast<std::size_t>(options.requests);
  load.replies.resize(count);  // at their place for good: handlers point into it
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(request_body(target, options, rate, i));

  std::vector<Moment> due(count);  // from the beginning on
  if (options.rate_per_s)
    for (std::size_t i = 1; i < count; ++i) {
      const double drawn = uniform(options.seed, i, arrival_stream);
      due[i] = due[i - 1] + std::chrono::duration_cast<Moment>(std::chrono::duration<double>(-std::log1p(-drawn) / *options.rate_per_s));
    }

  const double cpu_before = cpu_seconds();
  store::HttpClient client;
  std::size_t sent = 0;
  int ended = 0, running = 0;
  load.began = now();
  while (ended < options.requests) {
    if (!progress(ended)) {
      load.interrupted = true;
      break;
    }
    auto wait = longest_wait;
    while (sent < count && running < options.concurrency) {
      const Moment left = load.began + due[sent] - now();
      if (left > Moment{0}) {
        wait = std::min(wait, std::chrono::ceil<milliseconds>(left));
        break;
      }
      ReplyRecord& record = load.replies[sent];
      record.sent = now();
      client.start(request(target, std::move(bodies[sent])), recording(record, [&ended, &running] { ++ended, --running; }));
      ++sent;
      load.most_at_once = std::max(load.most_at_once, ++running);
    }
    client.poll(wait);
  }
  load.ended = now();
  load.client_cpu_s = cpu_seconds() - cpu_before;
  if (load.interrupted) load.replies.resize(sent);
  return load;
}

}  // namespace qn::cli
