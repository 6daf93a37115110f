#include "api/http/asio_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace qn::api {
namespace {

class AsioTimer final : public Timer {
 public:
  AsioTimer(boost::asio::io_context& context, std::chrono::milliseconds delay, std::function<void()> callback)
      : fired_(std::make_shared<bool>(false)), timer_(context, delay) {
    timer_.async_wait([fired = fired_, callback = std::move(callback)](const boost::system::error_code& error) {
      if (error || *fired) return;
      *fired = true;
      callback();
    });
  }
  ~AsioTimer() override { *fired_ = true; }  // an expiry that is queued already does nothing
  bool fired() const override { return *fired_; }

 private:
  std::shared_ptr<bool> fired_;
  boost::asio::steady_timer timer_;
};

}  // namespace

void AsioLoop::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!finished_) boost::asio::post(context_, std::move(work));
}

std::unique_ptr<Timer> AsioLoop::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  return std::make_unique<AsioTimer>(context_, delay, std::move(callback));
}

void AsioLoop::run() {
  thread_ = std::this_thread::get_id();
  context_.run();
}

void AsioLoop::stop() {
  context_.stop();
}

void AsioLoop::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  thread_ = std::this_thread::get_id();
  context_.restart();
  context_.poll();
  thread_ = std::thread::id();
}

}  // namespace qn::api
