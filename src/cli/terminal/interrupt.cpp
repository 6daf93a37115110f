#include "cli/terminal/interrupt.h"

namespace qn::cli {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;

extern "C" void on_interrupt(int) {
  interrupted = 1;
}

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = on_interrupt;  // without SA_RESTART: a waiting read returns
  sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &before_, nullptr);
}

bool Interrupt::pending() {
  return interrupted != 0;
}

bool Interrupt::taken() {
  const bool was = interrupted != 0;
  interrupted = 0;
  return was;
}

}  // namespace qn::cli
