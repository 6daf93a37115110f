#include "cli/bench/serve/serve_bench.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>

#include "cli/arguments.h"
#include "cli/bench/serve/load_report.h"
#include "cli/nearest.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"

namespace qn::cli {
namespace {

constexpr int requests_for_each_at_once = 4;  // where --requests is not given

struct Typed {
  std::vector<std::string> words;
  std::string url, endpoint, model, api_key, extra;
  std::string requests, concurrency = "1", rate = "inf", prompt = "128", output = "128", prefix = "0", timeout = "600", seed;
  std::string percentiles = "50,90,99", temperature = "0";
  std::vector<std::string> goodput;
  bool json = false, may_end = false;
};

struct Plan {
  Target target;
  LoadOptions load;
  std::vector<int> concurrency;
  std::optional<int> requests;
  Goals goals;
  std::vector<double> percentiles;
};

Result<double> read_number(std::string_view flag, std::string_view text, double least, double most) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= least && value <= most))
    return fail(Code::bad_input, "{}: expected a number from {} to {}, got {}", flag, least, most, quoted(text));
  return value;
}

Result<int> read_integer(std::string_view flag, std::string_view text, int least, int most) {
  QN_TRY(const double value, read_number(flag, text, least, most));
  if (value != static_cast<int>(value)) return fail(Code::bad_input, "{}: expected a whole number, got {}", flag, quoted(text));
  return static_cast<int>(value);
}

// The parts of a text between commas.
std::vector<std::string_view> parts(std::string_view text) {
  std::vector<std::string_view> list;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    list.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return list;
}

// "ttft:500 tpot:50 e2el:20000", as vllm bench serve takes it.
Result<Goals> read_goals(const std::vector<std::string>& words) {
  Goals goals;
  for (const std::string& word : words) {
    const std::string_view text = word;
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    std::optional<double>* goal = name == "ttft"   ? &goals.first
                                  : name == "tpot" ? &goals.per_token
                                  : name == "e2el" ? &goals.whole
                                                   : nullptr;
    if (goal == nullptr || colon == std::string_view::npos)
      return fail(Code::bad_input, "--goodput: expected ttft:MS, tpot:MS or e2el:MS, got {}", quoted(text));
    QN_TRY(*goal, read_number("--goodput", text.substr(colon + 1), 0, 1e9));
  }
  return goals;
}

std::string base_url(const Typed& typed) {
  std::string url = !typed.words.empty() ? typed.words.front() : !typed.url.empty() ? typed.url : "http://127.0.0.1:11434";
  if (url.find("://") == std::string::npos) url = "http://" + url;
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with("/v1")) url.resize(url.size() - 3);
  return url;
}

std::string api_key(const Typed& typed) {
  if (!typed.api_key.empty()) return typed.api_key;
  for (const char* name : {"QUERN_API_KEY", "OPENAI_API_KEY"})
    if (const char* key = std::getenv(name); key != nullptr && *key != '\0') return key;
  return "";
}

Result<Plan> read_plan(const Typed& typed) {
  Plan plan;
  plan.target.base_url = base_url(typed);
  if (!typed.endpoint.empty()) plan.target.endpoint = (typed.endpoint.starts_with('/') ? "" : "/") + typed.endpoint;
  plan.target.model = typed.model;
  plan.target.api_key = api_key(typed);
  QN_TRY(const double seconds, read_number("--timeout", typed.timeout, 1, 86400));
  plan.target.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  for (std::string_view part : parts(typed.concurrency)) {
    QN_TRY(const int concurrency, read_integer("--concurrency", part, 1, 65536));
    plan.concurrency.push_back(concurrency);
  }
  if (!typed.requests.empty()) {
    QN_TRY(plan.requests, read_integer("--requests", typed.requests, 1, 10'000'000));
  }
  if (typed.rate != "inf") {
    QN_TRY(plan.load.rate_per_s, read_number("--rate", typed.rate, 1e-6, 1e6));
  }
  QN_TRY(plan.load.prompt_tokens, read_integer("--input-len", typed.prompt, 1, 1 << 20));
  QN_TRY(plan.load.output_tokens, read_integer("--output-len", typed.output, 1, 1 << 20));
  QN_TRY(plan.load.prefix_tokens, read_integer("--prefix-len", typed.prefix, 0, 1 << 20));
  QN_TRY(plan.load.temperature, read_number("--temperature", typed.temperature, 0, 100));
  plan.load.ignore_end = !typed.may_end;
  if (typed.seed.empty()) {
    plan.load.seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1'000'000'007;
  } else {
    QN_TRY(const double seed, read_number("--seed", typed.seed, 0, 9e15));
    plan.load.seed = static_cast<std::uint64_t>(seed);
  }
  QN_TRY(plan.goals, read_goals(typed.goodput));
  for (std::string_view part : parts(typed.percentiles)) {
    QN_TRY(const double percentile, read_number("--percentiles", part, 0, 100));
    plan.percentiles.push_back(percentile);
  }
  if (!typed.extra.empty()) {
    const Result<json::Value> value = json::parse(typed.extra);
    if (!value || !value->is_object()) return fail(Code::bad_input, "--extra-body: expected a JSON object, got {}", quoted(typed.extra));
    plan.load.extra = value->as_object();
  }
  return plan;
}

// A server answers slowly where it has much to do: what it was asked is said while one waits.
Result<json::Array> run_plan(Plan plan, const Typed& typed, Io& io) {
  if (plan.target.model.empty()) {
    QN_TRY(plan.target.model, first_model(plan.target));
  }
  QN_TRY(const TokenRate rate, calibrate(plan.target, plan.load));
  if (!typed.json)
    fmt::print(io.out, "{}{}, model {}; {}{} tokens in, {} out, seed {}\n", plan.target.base_url, plan.target.endpoint,
               quoted(plan.target.model, 200), plan.load.prefix_tokens > 0 ? fmt::format("{} shared and ", plan.load.prefix_tokens) : "",
               plan.load.prompt_tokens, plan.load.output_tokens, plan.load.seed);
  json::Array rows;
  const Interrupt interrupt;
  const SteadyClock clock;
  for (const int concurrency : plan.concurrency) {
    plan.load.concurrency = concurrency;
    plan.load.requests = plan.requests.value_or(requests_for_each_at_once * concurrency);
    LoadRecord load;
    {
      Progress progress(io, "asking", Measure::windows, clock);
      load = run_load(plan.target, plan.load, rate, [&](int ended) {
        progress.show(static_cast<std::uint64_t>(ended), static_cast<std::uint64_t>(plan.load.requests));
        return !Interrupt::pending();
      });
    }
    if (load.interrupted) return fail(Code::cancelled, "stopped after {} of {} requests", load.replies.size(), plan.load.requests);
    const LoadSummary summary = summarize(load, plan.goals, plan.percentiles);
    if (!typed.json) fmt::print(io.out, "\n{}", load_text(plan.load, load, summary, plan.goals));
    std::fflush(io.out);
    rows.push_back(load_json(plan.target, plan.load, load, summary, plan.goals));
    ++plan.load.run;
  }
  return rows;
}

}  // namespace

int run_serve_bench(std::span<const std::string> args, Io& io) {
  Typed typed;
  CLI::App app;
  app.add_option("url", typed.words);
  const auto option = [&app](const char* group, const char* names, auto& value, const char* type, const char* text) {
    app.add_option(names, value, text)->type_name(type)->group(group);
  };
  option("Server", "--url,--base-url", typed.url, "URL", "the server, in place of the first word (default: http://127.0.0.1:11434)");
  option("Server", "--endpoint", typed.endpoint, "PATH", "/v1/chat/completions (default), or /v1/completions");
  option("Server", "--model", typed.model, "NAME", "the model asked for (default: the first that the server lists)");
  option("Server", "--api-key", typed.api_key, "KEY", "better in QUERN_API_KEY or OPENAI_API_KEY, where no list of processes shows it");
  option("Server", "--timeout", typed.timeout, "S", "seconds that one request may take (default: 600)");
  option("Load", "-n,--requests,--num-prompts", typed.requests, "N", "requests in all (default: 4 for each that is sent at once)");
  option("Load", "-c,--concurrency,--max-concurrency", typed.concurrency, "N,…",
         "requests at a time, at most; several: one run each (default: 1)");
  option("Load", "--rate,--request-rate", typed.rate, "R", "requests a second, at random moments (default: inf, as soon as one ends)");
  option("Load", "--seed", typed.seed, "N", "of prompts and moments (default: another each time, so that no cache knows the prompts)");
  option("Requests", "--input-len,--random-input-len", typed.prompt, "N", "tokens of each prompt (default: 128)");
  option("Requests", "--prefix-len,--random-prefix-len", typed.prefix, "N",
         "tokens before it that all share, as a system message (default: 0)");
  option("Requests", "--output-len,--random-output-len", typed.output, "N", "tokens of each reply (default: 128)");
  option("Requests", "--temperature", typed.temperature, "T", "default: 0");
  option("Requests", "--extra-body", typed.extra, "JSON", "further fields of each request, as an object");
  app.add_flag("--may-end,!--ignore-eos", typed.may_end, "a reply may end where the model ends it (default: ignore_eos is sent)")
      ->group("Requests");
  option("Output", "--goodput", typed.goodput, "NAME:MS", "what is good enough: ttft:MS, tpot:MS, e2el:MS");
  option("Output", "--percentiles,--metric-percentiles", typed.percentiles, "P,…", "default: 50,90,99");
  app.add_flag("--json", typed.json, "one JSON array, an object for each run")->group("Output");
  const Help help{.command = "bench serve",
                  .summary =
                      "Sends streamed requests to a server that runs, and reports what its users would feel. The server may be\n"
                      "this program's or any that speaks OpenAI's dialect.",
                  .usage = {"quern bench serve [URL] [flags]"},
                  .environment = {{"QUERN_API_KEY, OPENAI_API_KEY", "the key to show"}},
                  .examples = {"quern bench serve -c 1,20 --input-len 128 --output-len 128",
                               "quern bench serve http://127.0.0.1:8080 --rate 2 -n 100 --goodput ttft:500 tpot:50",
                               "quern bench serve --prefix-len 2000 --input-len 32 --output-len 16 --json"},
                  .more = "docs/bench.md says what is counted."};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (typed.words.size() > 1) return usage_error(io, "bench serve", fmt::format("{}: unexpected argument", quoted(typed.words[1])));
  Result<Plan> plan = read_plan(typed);
  if (!plan) return usage_error(io, "bench serve", plan.error().message);
  const Result<json::Array> rows = run_plan(*std::move(plan), typed, io);
  if (!rows) return report(io, rows.error());
  if (typed.json) fmt::print(io.out, "{}\n", json::print(*rows));
  const bool all_well = std::all_of(rows->begin(), rows->end(), [](const json::Value& row) { return row.at("failed").as_int64() == 0; });
  return all_well ? exit_ok : exit_failure;
}

}  // namespace qn::cli
