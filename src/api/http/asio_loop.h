// AsioLoop: the loop, on Boost.Asio.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <mutex>
#include <thread>

#include "api/http/io_loop.h"

namespace qn::api {

class AsioLoop final : public IoLoop {
 public:
  AsioLoop() : context_(1) {}

  void post(std::function<void()> work) override;
  bool is_loop_thread() const override { return thread_ == std::this_thread::get_id(); }
  std::unique_ptr<Timer> after(std::chrono::milliseconds delay, std::function<void()> callback) override;
  std::chrono::nanoseconds now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }

  void run();   // on the calling thread, until stop()
  void stop();  // on the loop
  // Runs what was posted before, and drops what is posted from now on: nothing may wait in a loop that nobody runs.
  void finish();

  boost::asio::io_context& context() { return context_; }

 private:
  std::mutex mutex_;  // of finished_: between a post and finish()
  bool finished_ = false;
  std::atomic<std::thread::id> thread_{};
  boost::asio::io_context context_;
};

}  // namespace qn::api
