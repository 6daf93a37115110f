// Turns: one thread at a time, in the order in which they asked. A mutex promises no order: who gives it back and asks again at once may
// keep others out for long.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace qn {

class Turns {
 public:
  void take() {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = last_++;
    changed_.wait(lock, [&] { return now_ == mine; });
  }
  void give_back() {
    {
      const std::lock_guard lock(mutex_);
      ++now_;
    }
    changed_.notify_all();  // few wait: one thread a model
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t last_ = 0, now_ = 0;  // turns given out; the one that is on
};

}  // namespace qn
