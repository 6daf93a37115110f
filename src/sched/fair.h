// Turns: whose request goes next, so that tenants who all want more than there is get tokens by their weights.
// Invariant: a turn is fixed when its request arrives, and is not before that of anything already let in: nobody who runs is
// overtaken, and who waits is passed only by tenants that have had less.
//   source   start-time fair queueing, Goyal, Vin and Cheng 1996
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace qn::sched {

class Turns {
 public:
  // The turn of a request that arrives now and is expected to take so many tokens.
  double arrive(std::uint64_t tenant, double weight, double tokens) {
    if (finish_.size() >= forget_at) std::erase_if(finish_, [&](const auto& entry) { return entry.second <= now_; });
    double& finish = finish_.try_emplace(tenant, now_).first->second;
    const double turn = std::max(now_, finish);
    finish = turn + tokens / weight;
    return turn;
  }

  void let_in(double turn) { now_ = std::max(now_, turn); }

  // What was expected too much or too little, for the tenant's next arrival.
  void correct(std::uint64_t tenant, double weight, double tokens) {
    if (const auto found = finish_.find(tenant); found != finish_.end()) found->second += tokens / weight;
  }

  void rest() {  // nobody is there: all are equal again
    finish_.clear();
    now_ = 0;
  }

 private:
  static constexpr std::size_t forget_at = 1024;  // tenants; those that are due no wait are as if never seen

  double now_ = 0;                                    // the furthest turn let in
  std::unordered_map<std::uint64_t, double> finish_;  // by tenant: when its next request may start
};

}  // namespace qn::sched
