// Spinner: a sign of life on a terminal while something takes its time. It appears after a moment, so that quick work stays silent,
// and leaves no trace.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "cli/io.h"

namespace qn::cli {

class Spinner {
 public:
  // Silent unless io.err is a terminal with colours, which stands for one that moves its cursor.
  Spinner(const Io& io, std::string text);
  ~Spinner();
  Spinner(const Spinner&) = delete;
  Spinner& operator=(const Spinner&) = delete;

 private:
  void turn();

  std::FILE* out_ = nullptr;
  std::string text_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace qn::cli
