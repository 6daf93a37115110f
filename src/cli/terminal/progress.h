// Progress: how far a long piece of work is. On a terminal one line that is written over; elsewhere a line now and then, and none for
// quick work.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "cli/io.h"

namespace qn::cli {

enum class Measure { bytes, windows };

class Progress {
 public:
  //   clock   borrowed
  Progress(const Io& io, std::string verb, Measure measure, const Clock& clock);
  ~Progress();  // takes its line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done, std::uint64_t total);  // as often as one likes

 private:
  std::FILE* out_;
  bool silent_, on_terminal_;
  std::string verb_;
  Measure measure_;
  const Clock& clock_;
  std::chrono::nanoseconds began_, shown_;
  bool line_is_there_ = false;
};

// "quantizing  42%  1.20 GB of 3.10 GB  512 MB/s  4 s left", "reading  42%  42 of 100  58 s left"
std::string progress_line(std::string_view verb, Measure measure, std::uint64_t done, std::uint64_t total,
                          std::chrono::nanoseconds elapsed);

}  // namespace qn::cli
