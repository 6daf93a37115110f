// A request that waits for a model. Waiting ends once: told or given up, whichever comes first.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "serve/model_host.h"

namespace qn::serve {

class Waiter {
 public:
  Waiter(ModelHost::Ready ready, std::shared_ptr<std::atomic<int>> count, std::function<void()> wake)
      : ready_(std::move(ready)), count_(std::move(count)), wake_(std::move(wake)) {
    ++*count_;
  }
  bool waits() const { return !ended_; }
  bool claim() {
    if (ended_.exchange(true)) return false;
    --*count_;
    return true;
  }
  void tell(Result<Lease> result) { std::exchange(ready_, nullptr)(std::move(result)); }  // by who claimed it
  void give_up() {
    if (!claim()) return;
    ready_ = nullptr;
    wake_();
  }

 private:
  std::atomic<bool> ended_{false};
  ModelHost::Ready ready_;
  std::shared_ptr<std::atomic<int>> count_;  // shared by all who wait: how many there are
  std::function<void()> wake_;               // of the host's thread
};

}  // namespace qn::serve
