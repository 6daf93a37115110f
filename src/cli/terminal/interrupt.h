// Interrupt: while one is alive, Ctrl-C sets a flag instead of ending the program.
#pragma once

#include <csignal>

namespace qn::cli {

class Interrupt {
 public:
  Interrupt();   // at most one at a time
  ~Interrupt();  // the earlier behaviour is back
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether Ctrl-C came since the last call. System calls that wait return EINTR when it does.
  static bool taken();
  static bool pending();

 private:
  struct sigaction before_ {};
};

}  // namespace qn::cli
