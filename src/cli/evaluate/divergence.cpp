#include "cli/evaluate/divergence.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"

namespace qn::cli {
namespace {

constexpr double least_log_p = -16;  // below it the file of the other model says no more than "hardly"

struct Moments {
  double mean, error;  // of the mean
};

Moments moments(std::span<const double> values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double count = static_cast<double>(values.size());
  return {mean, count < 2 ? 0 : std::sqrt(squares / count / (count - 1))};
}

double covariance(std::span<const double> a, std::span<const double> b) {
  const double mean_a = moments(a).mean, mean_b = moments(b).mean;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum / static_cast<double>(a.size());
}

// Between the two values that lie around the fraction.
double percentile(std::span<const double> sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

struct Percentile {
  double fraction;
  std::string_view name;
};

}  // namespace

void Divergence::add(std::span<const float> logits, std::span<const float> base, TokenId token) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit - *best));
  const double log_total = std::log(total) + static_cast<double>(*best);
  double divergence = 0;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const double log_p = base[i];
    if (log_p > least_log_p) divergence += std::exp(log_p) * (log_p - (static_cast<double>(logits[i]) - log_total));
  }
  const auto at = static_cast<std::size_t>(token);
  const double surprise = log_total - static_cast<double>(logits[at]), base_surprise = -static_cast<double>(base[at]);
  divergences_.push_back(divergence);
  surprises_.push_back(surprise);
  base_surprises_.push_back(base_surprise);
  probability_changes_.push_back(std::exp(-surprise) - std::exp(-base_surprise));
  const auto base_best = std::max_element(base.begin(), base.end());
  same_top_ += (best - logits.begin()) == (base_best - base.begin()) ? 1 : 0;
}

double Divergence::mean() const {
  return moments(divergences_).mean;
}

double Divergence::same_top() const {
  return static_cast<double>(same_top_) / static_cast<double>(count());
}

std::string Divergence::report() const {
  const Moments own = moments(surprises_), base = moments(base_surprises_), kl = moments(divergences_);
  const double own_variance = covariance(surprises_, surprises_), base_variance = covariance(base_surprises_, base_surprises_);
  const double both = covariance(surprises_, base_surprises_);
  const double count_less_one = std::max(static_cast<double>(count()) - 1, 1.0);
  const double ratio = std::exp(own.mean - base.mean);
  const double log_ratio_error = std::sqrt(std::max(own_variance + base_variance - 2 * both, 0.0) / count_less_one);
  std::string out = "====== Perplexity statistics ======\n";
  const auto line = [&](std::string_view name, std::string_view value) { out += fmt::format("{:<30}: {}\n", name, value); };
  line("Mean PPL(Q)", fmt::format("{:10.6f} ± {:10.6f}", std::exp(own.mean), std::exp(own.mean) * own.error));
  line("Mean PPL(base)", fmt::format("{:10.6f} ± {:10.6f}", std::exp(base.mean), std::exp(base.mean) * base.error));
  const double correlation = own_variance > 0 && base_variance > 0 ? both / std::sqrt(own_variance * base_variance) : 1;
  line("Cor(ln(PPL(Q)), ln(PPL(base)))", fmt::format("{:6.2f}%", 100 * correlation));
  line("Mean ln(PPL(Q)/PPL(base))", fmt::format("{:10.6f} ± {:10.6f}", own.mean - base.mean, log_ratio_error));
  line("Mean PPL(Q)/PPL(base)", fmt::format("{:10.6f} ± {:10.6f}", ratio, ratio * log_ratio_error));
  line("Mean PPL(Q)-PPL(base)", fmt::format("{:10.6f}", std::exp(own.mean) - std::exp(base.mean)));

  static constexpr Percentile of_divergence[] = {
      {1, "Maximum KLD"},   {0.999, "99.9%   KLD"}, {0.99, "99.0%   KLD"}, {0.95, "95.0%   KLD"}, {0.9, "90.0%   KLD"},
      {0.5, "Median  KLD"}, {0.1, "10.0%   KLD"},   {0.05, " 5.0%   KLD"}, {0.01, " 1.0%   KLD"}, {0, "Minimum KLD"}};
  out += "\n====== KL divergence statistics ======\n";
  line("Mean    KLD", fmt::format("{:10.6f} ± {:10.6f}", kl.mean, kl.error));
  std::vector<double> sorted = divergences_;
  std::sort(sorted.begin(), sorted.end());
  for (const Percentile& row : of_divergence) line(row.name, fmt::format("{:10.6f}", percentile(sorted, row.fraction)));

  static constexpr Percentile of_change[] = {{1, "Maximum Δp"},   {0.999, "99.9%   Δp"}, {0.99, "99.0%   Δp"}, {0.95, "95.0%   Δp"},
                                             {0.9, "90.0%   Δp"}, {0.75, "75.0%   Δp"},  {0.5, "Median  Δp"},  {0.25, "25.0%   Δp"},
                                             {0.1, "10.0%   Δp"}, {0.05, " 5.0%   Δp"},  {0.01, " 1.0%   Δp"}, {0.001, " 0.1%   Δp"},
                                             {0, "Minimum Δp"}};
  out += "\n====== Token probability statistics ======\n";
  const Moments change = moments(probability_changes_);
  line("Mean    Δp", fmt::format("{:6.3f} ± {:5.3f} %", 100 * change.mean, 100 * change.error));
  sorted = probability_changes_;
  std::sort(sorted.begin(), sorted.end());
  for (const Percentile& row : of_change) line(row.name, fmt::format("{:6.3f}%", 100 * percentile(sorted, row.fraction)));
  std::vector<double> squares = probability_changes_;
  for (double& value : squares) value *= value;
  const Moments square = moments(squares);
  const double rms = std::sqrt(square.mean);
  line("RMS Δp", fmt::format("{:6.3f} ± {:5.3f} %", 100 * rms, rms > 0 ? 100 * square.error / (2 * rms) : 0.0));
  const double same = same_top();
  line("Same top p", fmt::format("{:6.3f} ± {:5.3f} %", 100 * same, 100 * std::sqrt(same * (1 - same) / count_less_one)));
  return out;
}

}  // namespace qn::cli
