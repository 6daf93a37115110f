#include "cli/terminal/interrupt.h"

namespace qn::cli {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t end_signal = 0;

extern "C" void on_interrupt(int) {
  interrupted = 1;
}
extern "C" void on_end(int signal) {
  interrupted = 1;
  end_signal = signal;
}

void install(int signal, void (*handler)(int), struct sigaction& before) {
  struct sigaction action {};
  action.sa_handler = handler;  // without SA_RESTART: a waiting read returns
  sigaction(signal, &action, &before);
}

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  install(SIGINT, on_interrupt, int_);
  install(SIGTERM, on_end, term_);
  install(SIGHUP, on_end, hang_up_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &int_, nullptr);
  sigaction(SIGTERM, &term_, nullptr);
  sigaction(SIGHUP, &hang_up_, nullptr);
}

bool Interrupt::pending() {
  return interrupted != 0;
}

bool Interrupt::taken() {
  const bool was = interrupted != 0;
  interrupted = 0;
  return was;
}

int Interrupt::ending() {
  return end_signal;
}

}  // namespace qn::cli
