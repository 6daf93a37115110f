#include "cli/bus_error.h"

#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "cli/io.h"

namespace qn::cli {
namespace {

// Only what POSIX allows in a handler.
void explain(int signal, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR) {  // a bug of ours: die as before
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  constexpr std::string_view message =
      "\nError: the model's file: it became shorter or its disk failed while it was in use; restore it and start again, or load a copy "
      "with "
      "--no-mmap\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
  ::_exit(exit_failure);
}

}  // namespace

void explain_bus_errors() {
  struct sigaction action {};
  action.sa_sigaction = explain;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace qn::cli
