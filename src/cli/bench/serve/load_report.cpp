#include "cli/bench/serve/load_report.h"

#include <algorithm>
#include <cmath>

#include "cli/terminal/safe_text.h"

namespace qn::cli {
namespace {

constexpr std::size_t most_failures_shown = 3;

// What is summarized: its row in the table, and its name in JSON (as vllm bench serve calls it).
struct Quantity {
  std::string_view title, key;
  Summary LoadSummary::*summary;
};
constexpr Quantity quantities[] = {
    {"first token", "ttft_ms", &LoadSummary::first},
    {"per token after it", "tpot_ms", &LoadSummary::per_token},
    {"between pieces", "itl_ms", &LoadSummary::between},
    {"whole reply", "e2el_ms", &LoadSummary::whole},
};

std::string thousands(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string percentile_name(double percentile) {
  return fmt::format("p{:g}", percentile);
}

}  // namespace

Summary summarize(std::vector<double> values, const std::vector<double>& percentiles) {
  Summary summary;
  summary.count = values.size();
  std::sort(values.begin(), values.end());
  for (const double value : values) summary.mean += value / static_cast<double>(values.size());
  for (const double value : values)
    summary.deviation += (value - summary.mean) * (value - summary.mean) / static_cast<double>(values.size());
  summary.deviation = std::sqrt(summary.deviation);
  if (!values.empty()) {
    summary.least = values.front();
    summary.most = values.back();
  }
  for (const double percentile : percentiles) {
    double value = 0;
    if (!values.empty()) {
      const double place = percentile / 100 * static_cast<double>(values.size() - 1);
      const auto below = static_cast<std::size_t>(place);
      const std::size_t above = std::min(below + 1, values.size() - 1);
      value = values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
    }
    summary.percentiles.emplace_back(percentile, value);
  }
  return summary;
}

LoadSummary summarize(const LoadRecord& load, const Goals& goals, const std::vector<double>& percentiles) {
  LoadSummary summary;
  std::vector<double> first, per_token, between, whole;
  for (const ReplyRecord& record : load.replies) {
    const Result<ReplyTimes> times = read_reply(record);
    if (!times) {
      ++summary.failed;
      const std::string& text = times.error().message;
      const bool known = std::find(summary.failures.begin(), summary.failures.end(), text) != summary.failures.end();
      if (!known && summary.failures.size() < most_failures_shown) summary.failures.push_back(text);
      continue;
    }
    ++summary.ok;
    summary.prompt_tokens += times->prompt_tokens;
    summary.cached_tokens += times->cached_tokens;
    summary.output_tokens += times->output_tokens;
    first.push_back(times->first.count());
    whole.push_back(times->whole.count());
    if (times->output_tokens > 1) per_token.push_back(times->per_token_ms());
    between.insert(between.end(), times->gaps_ms.begin(), times->gaps_ms.end());
    const bool good = (!goals.first || times->first.count() <= *goals.first) &&
                      (!goals.per_token || times->per_token_ms() <= *goals.per_token) &&
                      (!goals.whole || times->whole.count() <= *goals.whole);
    if (good) ++summary.good;
  }
  summary.seconds = std::chrono::duration<double>(load.ended - load.began).count();
  summary.first = summarize(std::move(first), percentiles);
  summary.per_token = summarize(std::move(per_token), percentiles);
  summary.between = summarize(std::move(between), percentiles);
  summary.whole = summarize(std::move(whole), percentiles);
  return summary;
}

std::string load_text(const LoadOptions& options, const LoadRecord& load, const LoadSummary& summary, const Goals& goals) {
  std::string text;
  const auto line = [&text]<class... Args>(std::string_view name, fmt::format_string<Args...> form, Args&&... args) {
    text += fmt::format("{:<20}", name) + fmt::format(form, std::forward<Args>(args)...) + "\n";
  };
  const double ok = std::max(summary.ok, 1);
  line("requests", "{} ended well, {} failed, {:.2f} s; at most {} at once{}", summary.ok, summary.failed, summary.seconds,
       load.most_at_once, options.rate_per_s ? fmt::format(", sent {:g} a second", *options.rate_per_s) : "");
  line("tokens", "{} in ({:.1f} each, {} of them cached), {} out ({:.1f} each)", thousands(summary.prompt_tokens),
       static_cast<double>(summary.prompt_tokens) / ok, thousands(summary.cached_tokens), thousands(summary.output_tokens),
       static_cast<double>(summary.output_tokens) / ok);
  line("rate", "{:.2f} requests/s, {:.2f} tokens/s out, {:.2f} tokens/s in and out", summary.per_s(summary.ok),
       summary.per_s(static_cast<double>(summary.output_tokens)),
       summary.per_s(static_cast<double>(summary.prompt_tokens + summary.output_tokens)));
  if (goals.any()) line("good enough", "{} of {}: {:.2f} requests/s", summary.good, load.replies.size(), summary.per_s(summary.good));
  line("this client", "{:.2f} s of CPU", load.client_cpu_s);

  text += fmt::format("\n{:<20}{:>10}", "milliseconds", "mean");
  for (const auto& [percentile, value] : summary.first.percentiles) text += fmt::format("{:>10}", percentile_name(percentile));
  text += fmt::format("{:>10}\n", "most");
  for (const Quantity& quantity : quantities) {
    const Summary& times = summary.*quantity.summary;
    text += fmt::format("{:<20}{:>10.2f}", quantity.title, times.mean);
    for (const auto& [percentile, value] : times.percentiles) text += fmt::format("{:>10.2f}", value);
    text += fmt::format("{:>10.2f}\n", times.most);
  }
  for (const std::string& failure : summary.failures) text += "failed: " + without_controls(failure) + "\n";
  return text;
}

json::Object load_json(const Target& target, const LoadOptions& options, const LoadRecord& load, const LoadSummary& summary,
                       const Goals& goals) {
  json::Object row{{"base_url", target.base_url},
                   {"endpoint", target.endpoint},
                   {"model", target.model},
                   {"seed", options.seed},
                   {"requests", options.requests},
                   {"concurrency", options.concurrency},
                   {"request_rate", options.rate_per_s ? json::Value(*options.rate_per_s) : json::Value(nullptr)},
                   {"completed", summary.ok},
                   {"failed", summary.failed},
                   {"duration_s", summary.seconds},
                   {"most_at_once", load.most_at_once},
                   {"prompt_tokens", summary.prompt_tokens},
                   {"cached_tokens", summary.cached_tokens},
                   {"output_tokens", summary.output_tokens},
                   {"requests_per_s", summary.per_s(summary.ok)},
                   {"output_tokens_per_s", summary.per_s(static_cast<double>(summary.output_tokens))},
                   {"total_tokens_per_s", summary.per_s(static_cast<double>(summary.prompt_tokens + summary.output_tokens))},
                   {"good", goals.any() ? json::Value(summary.good) : json::Value(nullptr)},
                   {"goodput_per_s", goals.any() ? json::Value(summary.per_s(summary.good)) : json::Value(nullptr)},
                   {"client_cpu_s", load.client_cpu_s}};
  for (const Quantity& quantity : quantities) {
    const Summary& times = summary.*quantity.summary;
    json::Object numbers{{"count", times.count}, {"mean", times.mean}, {"std", times.deviation}, {"min", times.least}, {"max", times.most}};
    for (const auto& [percentile, value] : times.percentiles) numbers[percentile_name(percentile)] = value;
    row[quantity.key] = std::move(numbers);
  }
  json::Array failures;
  for (const std::string& failure : summary.failures) failures.push_back(json::Value(failure));
  row["failures"] = std::move(failures);
  return row;
}

}  // namespace qn::cli
