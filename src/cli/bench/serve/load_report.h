// What a load showed: times as a mean and percentiles, rates, and how many requests were good enough; as a table and as JSON.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cli/bench/serve/load.h"

namespace qn::cli {

struct Summary {  // of one quantity, in milliseconds
  std::size_t count = 0;
  double mean = 0, deviation = 0, least = 0, most = 0;
  std::vector<std::pair<double, double>> percentiles;  // which, value
};
// Percentiles lie between the two nearest values, in proportion (as numpy's default does). Empty values: all zero.
Summary summarize(std::vector<double> values, const std::vector<double>& percentiles);

// A request is good where each of these that is set is met, in milliseconds.
struct Goals {
  std::optional<double> first, per_token, whole;
  bool any() const { return first || per_token || whole; }
};

struct LoadSummary {
  int ok = 0, failed = 0;
  std::vector<std::string> failures;  // a few, different ones
  double seconds = 0;                 // from the first sent to the last ended
  std::int64_t prompt_tokens = 0, cached_tokens = 0, output_tokens = 0;
  Summary first, per_token, between, whole;  // between: from piece to piece of all replies
  int good = 0;
  double per_s(double amount) const { return seconds > 0 ? amount / seconds : 0; }
};
LoadSummary summarize(const LoadRecord& load, const Goals& goals, const std::vector<double>& percentiles);

std::string load_text(const LoadOptions& options, const LoadRecord& load, const LoadSummary& summary, const Goals& goals);
json::Object load_json(const Target& target, const LoadOptions& options, const LoadRecord& load, const LoadSummary& summary,
                       const Goals& goals);

}  // namespace qn::cli
