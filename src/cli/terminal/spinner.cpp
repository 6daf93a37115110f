#include "cli/terminal/spinner.h"

#include <chrono>
#include <utility>

namespace qn::cli {
namespace {

constexpr std::chrono::milliseconds patience{300}, frame_time{100};
constexpr std::string_view frames[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};

}  // namespace

Spinner::Spinner(const Io& io, std::string text) : out_(io.err), text_(std::move(text)) {
  if (io.err_tty && io.err_colour && !io.quiet) thread_ = std::thread(&Spinner::turn, this);
}

Spinner::~Spinner() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void Spinner::turn() {
  std::unique_lock lock(mutex_);
  std::chrono::milliseconds wait = patience;
  std::size_t frame = 0;
  while (!stop_.wait_for(lock, wait, [this] { return stopping_; })) {
    fmt::print(out_, "\r{} {}", frames[frame++ % std::size(frames)], text_);
    std::fflush(out_);
    wait = frame_time;
  }
  if (frame > 0) fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
}

}  // namespace qn::cli
