// How long compiling may still take. Asked often; looks at the clock now and then.
#pragma once

#include <chrono>

#include "base/result.h"

namespace qn::text::grammar {

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds time) : time_(time), end_(std::chrono::steady_clock::now() + time) {}

  bool passed() {
    if (!passed_ && ++asked_ % 256 == 0) passed_ = std::chrono::steady_clock::now() > end_;
    return passed_;
  }
  Status check() {
    if (!passed()) return {};
    return fail(Code::too_large, "grammar: compiling took longer than {} ms; use a smaller one", time_.count());
  }

 private:
  std::chrono::milliseconds time_;
  std::chrono::steady_clock::time_point end_;
  unsigned asked_ = 0;
  bool passed_ = false;
};

}  // namespace qn::text::grammar
