// IoLoop: the one thread where connections live. Everything of http/ but Exchange is touched by this thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace qn::api {

// Runs its callback once, on the loop, unless it is destroyed before.
struct Timer {
  virtual ~Timer() = default;
  virtual bool fired() const = 0;
};

class IoLoop {
 public:
  virtual ~IoLoop() = default;

  virtual void post(std::function<void()> work) = 0;  // any thread; in order for one caller. Dropped once the loop has ended
  virtual bool is_loop_thread() const = 0;            // any thread
  virtual std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> callback) = 0;
  virtual std::chrono::nanoseconds now() const = 0;
};

}  // namespace qn::api
