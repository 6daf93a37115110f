// Progress: how far a long piece of work is. On a terminal one line that is written over; elsewhere a line now and then, and none for
// quick work.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "cli/io.h"

namespace qn::cli {

class Progress {
 public:
  //   clock   borrowed
  Progress(const Io& io, std::string verb, const Clock& clock);
  ~Progress();  // takes its line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done_bytes, std::uint64_t total_bytes);  // as often as one likes

 private:
  std::FILE* out_;
  bool silent_, on_terminal_;
  std::string verb_;
  const Clock& clock_;
  std::chrono::nanoseconds began_, shown_;
  bool line_is_there_ = false;
};

// "quantizing  42%  1.20 GB of 3.10 GB  512 MB/s  4 s left"
std::string progress_line(std::string_view verb, std::uint64_t done_bytes, std::uint64_t total_bytes, std::chrono::nanoseconds elapsed);

}  // namespace qn::cli
