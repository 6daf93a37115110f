#include "cli/terminal/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace qn::cli {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t end_signal = 0;

int wake_pipe[2] = {-1, -1};

extern "C" void on_interrupt(int) {
  interrupted = 1;
  Interrupt::wake();
}

extern "C" void on_end(int signal) {
  interrupted = 1;
  end_signal = signal;
  Interrupt::wake();
}

void install(int signal, void (*handler)(int), struct sigaction& before) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(signal, &action, &before);
}

}  // namespace

Interrupt::Interrupt() {
  if (wake_pipe[0] < 0 && ::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) wake_pipe[0] = wake_pipe[1] = -1;
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

int Interrupt::wake_descriptor() {
  return wake_pipe[0];
}

void Interrupt::drain() {
  char bytes[64];
  while (::read(wake_pipe[0], bytes, sizeof bytes) > 0) {
  }
}

void Interrupt::wake() {
  const int before = errno;
  const char byte = 0;
  if (wake_pipe[1] >= 0 && ::write(wake_pipe[1], &byte, 1) < 0) {
    // Full: whoever reads will wake anyway.
  }
  errno = before;
}

int Interrupt::ending() {
  return end_signal;
}

}  // namespace qn::cli
