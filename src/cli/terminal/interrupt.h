// Interrupt: while one is alive, Ctrl-C sets a flag instead of ending the program, and so do the signals that ask it to end, so that a
// reply is stopped and the terminal set back first.
#pragma once

#include <csignal>

namespace qn::cli {

class Interrupt {
 public:
  Interrupt();   // at most one at a time
  ~Interrupt();  // the earlier behaviour is back
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether Ctrl-C, or a signal to end, came since the last call.
  static bool taken();
  static bool pending();

  // The signal that asked the program to end (SIGTERM, SIGHUP), or 0. Its exit code is 128 + the number.
  static int ending();

  // Becomes readable when a signal comes, whichever thread took it: to be polled beside the terminal, then drained.
  static int wake_descriptor();
  static void drain();
  // For further handlers of the same kind; may be called in one.
  static void wake();

 private:
  struct sigaction int_ {
  }, term_{}, hang_up_{};  // as they were before
};

}  // namespace qn::cli
