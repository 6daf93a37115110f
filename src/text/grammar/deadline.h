// How long compiling may still take. Asked wherever work is done a piece at a time.
#pragma once

#include <chrono>

#include "base/result.h"

namespace qn::text::grammar {

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds time) : time_(time), end_(std::chrono::steady_clock::now() + time) {}

  bool passed() {
    if (!passed_) passed_ = std::chrono::steady_clock::now() > end_;
    return passed_;
  }
  Status check() {
    if (!passed()) return {};
    return fail(Code::too_large, "grammar: compiling took longer than {} ms; use a smaller one", time_.count());
  }

 private:
  std::chrono::milliseconds time_;
  std::chrono::steady_clock::time_point end_;
  bool passed_ = false;
};

}  // namespace qn::text::grammar
