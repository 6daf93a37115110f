// Prefetch: brings the weights of a model into memory beside its first use, in their order, in large reads. Without it the first reply
// waits for the disk page by page.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "model/model.h"

namespace qn::serve {

class Prefetch {
 public:
  explicit Prefetch(std::shared_ptr<const model::Model> model);
  ~Prefetch();  // stops within one read
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

 private:
  std::shared_ptr<const model::Model> model_;  // shared with whoever runs it
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace qn::serve
