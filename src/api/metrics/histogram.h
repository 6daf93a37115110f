// Histogram: how often values fell below given bounds. Plain numbers; whoever holds it locks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace qn::api {

class Histogram {
 public:
  //   bounds   ascending; outlive the histogram. A value belongs to the first bound that is not below it
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  // Of values that were counted elsewhere.
  //   counts   [bounds + 1], as counts()
  Histogram(std::span<const double> bounds, std::vector<std::uint64_t> counts, double sum)
      : bounds_(bounds), counts_(std::move(counts)), sum_(sum), total_(std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0})) {}

  void add(double value, std::uint64_t times = 1) {
    counts_[static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin())] += times;
    sum_ += value * static_cast<double>(times);
    total_ += times;
  }

  std::span<const double> bounds() const { return bounds_; }
  std::span<const std::uint64_t> counts() const { return counts_; }  // [bounds + 1]; the last: above all bounds
  double sum() const { return sum_; }
  std::uint64_t total() const { return total_; }

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace qn::api
