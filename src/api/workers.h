// Workers: a few threads for what takes milliseconds and touches no socket: parsing bodies, rendering templates, tokenizing, compiling
// grammars. The I/O thread and the engine's thread stay free.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace qn::api {

class Workers {
 public:
  //   most_waiting   pieces of work that wait, at most
  explicit Workers(int threads, std::size_t most_waiting = 1024);
  ~Workers();  // what waits is dropped; what runs ends first
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False where too much waits; `work` was not taken then. It does not throw.
  [[nodiscard]] bool run(std::function<void()> work);

 private:
  void loop();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace qn::api
