#include "cli/io.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace qn::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool forced(const char* variable) {
  return is_set(variable) && std::strcmp(std::getenv(variable), "0") != 0;
}

bool wants_colour(bool tty) {
  if (is_set("NO_COLOR")) return false;
  if (forced("CLICOLOR_FORCE") || forced("FORCE_COLOR")) return true;
  const char* term = std::getenv("TERM");
  return tty && !(term != nullptr && std::strcmp(term, "dumb") == 0);
}

}  // namespace

Io process_io() {
  Io io{stdin, stdout, stderr};
  io.in_tty = isatty(STDIN_FILENO) != 0;
  io.out_tty = isatty(STDOUT_FILENO) != 0;
  io.err_tty = isatty(STDERR_FILENO) != 0;
  choose_colour(io, ColourChoice::automatic);
  return io;
}

void choose_colour(Io& io, ColourChoice choice) {
  const auto chosen = [choice](bool tty) { return choice == ColourChoice::automatic ? wants_colour(tty) : choice == ColourChoice::always; };
  io.out_colour = chosen(io.out_tty);
  io.err_colour = chosen(io.err_tty);
}

int exit_code(Code code) {
  switch (code) {
    case Code::bad_input:
    case Code::too_large:
    case Code::unsupported: return exit_usage;
    case Code::cancelled: return exit_interrupted;
    case Code::not_found:
    case Code::out_of_memory:
    case Code::overloaded:
    case Code::io:
    case Code::internal: break;
  }
  return exit_failure;
}

int report(Io& io, const Error& error) {
  std::fflush(io.out);
  fmt::print(io.err, "Error: {}\n", error.message);
  return exit_code(error.code);
}

int usage_error(Io& io, std::string_view command, std::string_view message) {
  std::fflush(io.out);
  fmt::print(io.err, "Error: {}\nSee 'quern {}{}--help'\n", message, command, command.empty() ? "" : " ");
  return exit_usage;
}

void note(Io& io, std::string_view text) {
  if (!io.quiet) fmt::print(io.err, "quern: {}\n", text);
}

Result<std::string> read_all(std::FILE* stream, std::string_view name, std::size_t max_bytes) {
  std::string text;
  char block[65536];
  while (true) {
    const std::size_t got = std::fread(block, 1, sizeof block, stream);
    if (got > max_bytes - text.size()) return fail(Code::too_large, "{}: more than {} bytes; give a shorter text", name, max_bytes);
    text.append(block, got);
    if (got < sizeof block) break;
  }
  if (std::ferror(stream) != 0) return fail(Code::io, "{}: {}; check that it can be read", name, std::strerror(errno));
  return text;
}

}  // namespace qn::cli
