// Clock: where time comes from, so that tests can hold it still.
#pragma once

#include <chrono>

namespace qn {

struct Clock {
  virtual ~Clock() = default;
  virtual std::chrono::nanoseconds now() const = 0;  // since some fixed moment; never goes back
};

struct SteadyClock final : Clock {
  std::chrono::nanoseconds now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

}  // namespace qn
