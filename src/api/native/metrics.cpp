// GET /metrics: Prometheus text. Our own names, and those that dashboards made for vLLM or llama-server read. Every row of the tables below
// is one family; what it shows is asked for when somebody looks.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

#include "api/endpoint.h"
#include "api/metrics/exposition.h"
#include "api/process_figures.h"
#include "api/service.h"
#include "serve/model_host.h"

namespace qn::api {
namespace {

using Kind = Exposition::Kind;

struct Model {  // one that is in memory, or of which there are replies
  std::string name;
  const engine::Stats* engine = nullptr;  // null: not in memory
  const serve::LoadedInfo* loaded = nullptr;
  const ModelReplies* replies = nullptr;  // null: none yet
};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double count(std::uint64_t n) {
  return static_cast<double>(n);
}

double pages(const engine::Stats& stats) {
  return stats.now.pages_free + stats.now.pages_cached + stats.now.pages_held;
}

// Of the engine of each model in memory.
struct EngineRow {
  std::string_view name;  // after "quern_"; vLLM's names stand beside it where it has one
  std::string_view vllm;  // after "vllm:"
  Kind kind;
  double (*value)(const engine::Stats&);
  std::string_view help;
};
constexpr EngineRow engine_rows[] = {
    {"requests_running", "num_requests_running", Kind::gauge, [](const engine::Stats& s) { return double(s.now.running); },
     "Requests that are being computed."},
    {"requests_waiting", "num_requests_waiting", Kind::gauge, [](const engine::Stats& s) { return double(s.now.waiting); },
     "Requests that wait for their turn."},
    {"", "num_requests_swapped", Kind::gauge, [](const engine::Stats&) { return 0.0; }, "Requests swapped out: always 0."},
    {"kv_usage_ratio", "kv_cache_usage_perc", Kind::gauge,
     [](const engine::Stats& s) { return pages(s) > 0 ? s.now.pages_held / pages(s) : 0.0; },
     "Share of the pages that running requests hold, 0 to 1."},
    {"", "gpu_cache_usage_perc", Kind::gauge, [](const engine::Stats& s) { return pages(s) > 0 ? s.now.pages_held / pages(s) : 0.0; },
     "The older name of kv_cache_usage_perc."},
    {"preemptions_total", "num_preemptions_total", Kind::counter, [](const engine::Stats& s) { return count(s.now.preemptions); },
     "Requests that gave up their pages for a while."},
    {"prompt_tokens_total", "prompt_tokens_total", Kind::counter, [](const engine::Stats& s) { return count(s.prompt_tokens); },
     "Tokens of prompts, found computed or not."},
    {"generated_tokens_total", "generation_tokens_total", Kind::counter, [](const engine::Stats& s) { return count(s.generated_tokens); },
     "Tokens written."},
    {"", "prefix_cache_queries_total", Kind::counter, [](const engine::Stats& s) { return count(s.prompt_tokens); },
     "Tokens looked up in the prefix cache."},
    {"cached_tokens_total", "prefix_cache_hits_total", Kind::counter, [](const engine::Stats& s) { return count(s.cached_tokens); },
     "Tokens of prompts found computed."},
    {"", "gpu_prefix_cache_queries_total", Kind::counter, [](const engine::Stats& s) { return count(s.prompt_tokens); },
     "The older name of prefix_cache_queries_total."},
    {"", "gpu_prefix_cache_hits_total", Kind::counter, [](const engine::Stats& s) { return count(s.cached_tokens); },
     "The older name of prefix_cache_hits_total."},
    {"requests_failed_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.failed); },
     "Requests that ended in an error."},
    {"requests_cancelled_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.cancelled); },
     "Requests whose client left, or that a stop string ended."},
    {"nonfinite_logits_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.nonfinite_logits); },
     "Requests ended because the model computed no number."},
    {"steps_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.steps); }, "Steps of the engine."},
    {"requests_refused_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.refused); },
     "Requests refused because too many wait."},
    {"forced_tokens_total", "", Kind::counter, [](const engine::Stats& s) { return count(s.forced_tokens); },
     "Tokens that a constraint left no choice about."},
    {"drafts_total", "spec_decode_num_drafts_total", Kind::counter, [](const engine::Stats& s) { return count(s.speculation.drafts); },
     "Runs of guesses at what follows."},
    {"draft_tokens_total", "spec_decode_num_draft_tokens_total", Kind::counter,
     [](const engine::Stats& s) { return count(s.speculation.draft_tokens); }, "Tokens guessed."},
    {"draft_tokens_accepted_total", "spec_decode_num_accepted_tokens_total", Kind::counter,
     [](const engine::Stats& s) { return count(s.speculation.accepted_tokens); }, "Tokens guessed right."},
};

// Of replies, histograms.
struct HistogramRow {
  std::string_view vllm;
  Histogram ModelReplies::*values;
  std::string_view help;
};
constexpr HistogramRow histogram_rows[] = {
    {"time_to_first_token_seconds", &ModelReplies::first_token, "From the request to its first token."},
    {"inter_token_latency_seconds", &ModelReplies::between_tokens, "Between two tokens of a reply."},
    {"time_per_output_token_seconds", &ModelReplies::between_tokens, "The older name of inter_token_latency_seconds."},
    {"request_time_per_output_token_seconds", &ModelReplies::each_token,
     "Of a reply: its time after the first token, for each further one."},
    {"e2e_request_latency_seconds", &ModelReplies::whole, "From the request to the end of its reply."},
    {"request_queue_time_seconds", &ModelReplies::queued, "Waited for its turn."},
    {"request_inference_time_seconds", &ModelReplies::computing, "From its turn to its end."},
    {"request_prefill_time_seconds", &ModelReplies::reading, "From its turn to its first token."},
    {"request_decode_time_seconds", &ModelReplies::writing, "From its first token to its last."},
    {"request_prompt_tokens", &ModelReplies::prompt_tokens, "Tokens of a prompt."},
    {"request_generation_tokens", &ModelReplies::reply_tokens_each, "Tokens of a reply."},
    {"request_max_num_generation_tokens", &ModelReplies::longest_reply, "Tokens of the longest reply to a prompt."},
    {"request_params_n", &ModelReplies::asked_choices, "Replies asked for."},
    {"request_params_max_tokens", &ModelReplies::asked_tokens, "Tokens allowed to a reply."},
};

// llama-server's, without labels: of all models together.
struct Sums {
  double prompt_tokens = 0, prompt_seconds = 0, reply_tokens = 0, reply_seconds = 0, running = 0, waiting = 0, longest = 0, steps = 0,
         written = 0;
};
struct SumRow {
  std::string_view name;  // after "llamacpp:"
  Kind kind;
  double (*value)(const Sums&);
  std::string_view help;
};
double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}
constexpr SumRow sum_rows[] = {
    {"prompt_tokens_total", Kind::counter, [](const Sums& s) { return s.prompt_tokens; }, "Tokens of prompts computed."},
    {"prompt_seconds_total", Kind::counter, [](const Sums& s) { return s.prompt_seconds; }, "Time spent on prompts."},
    {"tokens_predicted_total", Kind::counter, [](const Sums& s) { return s.reply_tokens; }, "Tokens written."},
    {"tokens_predicted_seconds_total", Kind::counter, [](const Sums& s) { return s.reply_seconds; }, "Time spent writing."},
    {"n_decode_total", Kind::counter, [](const Sums& s) { return s.steps; }, "Steps of the engine."},
    {"n_tokens_max", Kind::counter, [](const Sums& s) { return s.longest; }, "Prompt and reply together, at most."},
    {"n_busy_slots_per_decode", Kind::gauge, [](const Sums& s) { return ratio(s.written, s.steps); },
     "Tokens written in a step, on average."},
    {"prompt_tokens_seconds", Kind::gauge, [](const Sums& s) { return ratio(s.prompt_tokens, s.prompt_seconds); },
     "Tokens of prompts per second."},
    {"predicted_tokens_seconds", Kind::gauge, [](const Sums& s) { return ratio(s.reply_tokens, s.reply_seconds); },
     "Tokens written per second."},
    {"requests_processing", Kind::gauge, [](const Sums& s) { return s.running; }, "Requests that are being computed."},
    {"requests_deferred", Kind::gauge, [](const Sums& s) { return s.waiting; }, "Requests that wait for their turn."},
};

// Tokens of a step, in vLLM's buckets; the engine counts in powers of two.
constexpr double step_bounds[] = {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};
Histogram step_tokens(const engine::Stats& stats) {
  std::vector<std::uint64_t> counts(std::size(step_bounds) + 1);
  for (std::size_t i = 0; i < stats.steps_by_rows.size(); ++i) {
    const bool beyond = i + 1 == stats.steps_by_rows.size();
    const auto bucket = std::ranges::lower_bound(step_bounds, std::ldexp(1.0, static_cast<int>(i))) - std::begin(step_bounds);
    counts[beyond ? counts.size() - 1 : static_cast<std::size_t>(bucket)] += stats.steps_by_rows[i];
  }
  return {step_bounds, std::move(counts), count(stats.rows)};
}

Labels vllm_labels(const Model& model) {
  return {{"model_name", model.name}, {"engine", "0"}};
}

void write_engines(Exposition& out, const std::vector<Model>& models, bool ours) {
  for (const EngineRow& row : engine_rows) {
    const std::string_view name = ours ? row.name : row.vllm;
    if (name.empty()) continue;
    out.family(fmt::format("{}{}", ours ? "quern_" : "vllm:", name), row.kind, row.help);
    for (const Model& model : models)
      if (model.engine != nullptr) out.sample(row.value(*model.engine), ours ? Labels{{"model", model.name}} : vllm_labels(model));
  }
}

void write_vllm(Exposition& out, const std::vector<Model>& models) {
  write_engines(out, models, false);
  out.family("vllm:request_success_total", Kind::counter, "Replies, by why they ended.");
  for (const Model& model : models) {
    if (model.replies == nullptr) continue;
    const std::pair<const char*, std::uint64_t> reasons[] = {
        {"stop", model.replies->stopped}, {"length", model.replies->full}, {"abort", model.replies->aborted}};
    for (const auto& [reason, replies] : reasons) {
      Labels labels = vllm_labels(model);
      labels.emplace_back("finished_reason", reason);
      out.sample(count(replies), labels);
    }
  }
  for (const HistogramRow& row : histogram_rows) {
    out.family(fmt::format("vllm:{}", row.vllm), Kind::histogram, row.help);
    for (const Model& model : models)
      if (model.replies != nullptr) out.histogram(model.replies->*row.values, vllm_labels(model));
  }
  out.family("vllm:iteration_tokens_total", Kind::histogram, "Tokens computed in a step.");
  for (const Model& model : models)
    if (model.engine != nullptr) out.histogram(step_tokens(*model.engine), vllm_labels(model));
  out.family("vllm:spec_decode_num_accepted_tokens_per_pos_total", Kind::counter, "Tokens guessed right, by their place in the run.");
  for (const Model& model : models) {
    if (model.engine == nullptr) continue;
    const auto& places = model.engine->speculation.accepted_at_place;
    for (std::size_t i = 0; i < places.size() && (i == 0 || places[i] > 0); ++i) {
      Labels labels = vllm_labels(model);
      labels.emplace_back("position", std::to_string(i));
      out.sample(count(places[i]), labels);
    }
  }
  out.family("vllm:lora_requests_info", Kind::gauge, "Adapters: none are loaded.");
  out.sample(0, {{"max_lora", "0"}, {"running_lora_adapters", ""}, {"waiting_lora_adapters", ""}});
  out.family("vllm:cache_config_info", Kind::gauge, "The cache of each model.");
  for (const Model& model : models) {
    if (model.engine == nullptr) continue;
    Labels labels = vllm_labels(model);
    labels.emplace_back("num_gpu_blocks", fmt::format("{}", pages(*model.engine)));
    labels.emplace_back("enable_prefix_caching", "True");
    out.sample(1, labels);
  }
}

void write_llama(Exposition& out, const std::vector<Model>& models) {
  Sums sums;
  for (const Model& model : models) {
    if (model.replies != nullptr) {
      sums.prompt_tokens += count(model.replies->computed_tokens);
      sums.prompt_seconds += model.replies->prompt_seconds;
      sums.reply_tokens += count(model.replies->reply_tokens);
      sums.reply_seconds += model.replies->reply_seconds;
      sums.longest = std::max(sums.longest, count(model.replies->longest));
    }
    if (model.engine != nullptr) {
      sums.running += model.engine->now.running;
      sums.waiting += model.engine->now.waiting;
      sums.steps += count(model.engine->steps);
      sums.written += count(model.engine->generated_tokens);
    }
  }
  for (const SumRow& row : sum_rows) {
    out.family(fmt::format("llamacpp:{}", row.name), row.kind, row.help);
    out.sample(row.value(sums));
  }
}

void write_ours(Exposition& out, const std::vector<Model>& models, const serve::HostStats& host) {
  write_engines(out, models, true);
  out.family("quern_engine_seconds_total", Kind::counter, "Time of the engine's thread, by what it did.");
  for (const Model& model : models) {
    if (model.engine == nullptr) continue;
    const std::pair<const char*, std::chrono::nanoseconds> phases[] = {
        {"forward", model.engine->forward}, {"sampling", model.engine->sampling}, {"scheduling", model.engine->scheduling}};
    for (const auto& [phase, time] : phases) out.sample(seconds(time), {{"model", model.name}, {"phase", phase}});
  }
  out.family("quern_step_tokens", Kind::histogram, "Tokens computed in a step, those computed again and guesses among them.");
  for (const Model& model : models)
    if (model.engine != nullptr) out.histogram(step_tokens(*model.engine), {{"model", model.name}});
  out.family("quern_kv_pages", Kind::gauge, "Pages of keys and values, by state.");
  for (const Model& model : models) {
    if (model.engine == nullptr) continue;
    const sched::Counts& now = model.engine->now;
    const std::pair<const char*, int> states[] = {{"free", now.pages_free}, {"cached", now.pages_cached}, {"held", now.pages_held}};
    for (const auto& [state, number] : states) out.sample(number, {{"model", model.name}, {"state", state}});
  }
  out.family("quern_model_bytes", Kind::gauge, "Memory that was planned for a model, by what it is for.");
  for (const Model& model : models) {
    if (model.loaded == nullptr) continue;
    const model::MemoryPlan& plan = model.loaded->memory;
    const std::pair<const char*, std::uint64_t> parts[] = {
        {"weights", plan.weight_bytes}, {"cache", plan.kv_bytes}, {"working", plan.working_bytes}};
    for (const auto& [part, bytes] : parts) out.sample(count(bytes), {{"model", model.name}, {"part", part}});
  }
  const std::tuple<std::string_view, std::uint64_t, std::string_view> loads[] = {
      {"quern_model_loads_total", host.loads, "Models brought into memory."},
      {"quern_model_load_failures_total", host.failed_loads, "Models that could not be loaded."},
      {"quern_model_evictions_total", host.evictions, "Models unloaded to make room for others."},
      {"quern_model_expirations_total", host.expirations, "Models unloaded because nobody asked for them any more."}};
  for (const auto& [name, number, help] : loads) {
    out.family(name, Kind::counter, help);
    out.sample(count(number));
  }
  out.family("quern_model_load_seconds_total", Kind::counter, "Time spent loading models.");
  out.sample(seconds(host.load_time));
}

void write_http(Exposition& out, const HttpCounts& http) {
  out.family("quern_http_requests_total", Kind::counter, "Requests answered, by route and status.");
  for (const auto& [key, requests] : http.requests)
    out.sample(count(requests), {{"route", key.first}, {"code", std::to_string(key.second)}});
  out.family("quern_http_sent_bytes_total", Kind::counter, "Bytes of bodies sent.");
  out.sample(count(http.sent_bytes));
  out.family("quern_http_in_flight", Kind::gauge, "Requests being answered.");
  out.sample(http.in_flight);
  out.family("quern_http_connections", Kind::gauge, "Connections open.");
  out.sample(http.connections);
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const std::vector<serve::LoadedInfo> loaded = service.models->loaded();
  const std::map<std::string, ModelReplies> replies = service.replies.by_model();
  std::vector<Model> models;
  for (const serve::LoadedInfo& info : loaded) {
    // While one is exchanged for another of its name there are two; a name may appear once.
    const bool known = std::ranges::find(models, info.served->name, &Model::name) != models.end();
    if (info.ready && !known) models.push_back({info.served->name, &info.engine, &info, nullptr});
  }
  for (const auto& [name, of_model] : replies) {
    const auto known = std::ranges::find(models, name, &Model::name);
    if (known != models.end()) {
      known->replies = &of_model;
    } else {
      models.push_back({.name = name, .replies = &of_model});
    }
  }
  Exposition out;
  out.family("quern_build_info", Kind::gauge, "This program.");
  out.sample(1, {{"version", service.version}});
  write_ours(out, models, service.models->stats());
  write_http(out, service.http);
  for (const ProcessFigure& figure : process_figures()) {
    out.family(figure.name, figure.kind == FigureKind::counter ? Kind::counter : Kind::gauge, figure.help);
    out.sample(figure.value);
  }
  if (service.metric_names == MetricNames::vllm) write_vllm(out, models);
  if (service.metric_names == MetricNames::llama_server) write_llama(out, models);
  exchange->respond({.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(out).text()});
}

}  // namespace

Endpoint endpoint_native_metrics() {
  return {"GET", {"/metrics"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
