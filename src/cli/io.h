// Io: where a command reads and writes. Results go to `out`; progress, statistics, warnings and errors go to `err`.
// Commands take it as an argument, so tests can hand in files of their own.
#pragma once

#include <cstdio>
#include <string>

#include "base/result.h"

namespace qn::cli {

struct Io {
  std::FILE* in = nullptr;
  std::FILE* out = nullptr;
  std::FILE* err = nullptr;
  bool in_tty = false, out_tty = false, err_tty = false;
  bool out_colour = false, err_colour = false;
  bool quiet = false;  // no warnings and no notes
};

enum class ColourChoice { automatic, always, never };

// Exit codes of the program. An unusable input file counts as wrong usage.
inline constexpr int exit_ok = 0, exit_failure = 1, exit_usage = 2, exit_signalled = 128, exit_interrupted = 130;

// The standard streams. Colour: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM=dumb and whether the stream is a terminal.
Io process_io();
void choose_colour(Io& io, ColourChoice choice);

int exit_code(Code code);

// "Error: <message>" on err; returns the exit code that belongs to it.
int report(Io& io, const Error& error);
// "Error: <message>" and "See 'quern <command> --help'" on err; returns exit_usage. `command` may be empty.
int usage_error(Io& io, std::string_view command, std::string_view message);
// "quern: <text>" on err, unless quiet: what the user should know but need not act on.
void note(Io& io, std::string_view text);

// Everything that is left in a stream.
//   errors   too_large beyond max_bytes; io
Result<std::string> read_all(std::FILE* stream, std::string_view name, std::size_t max_bytes = std::size_t{64} << 20);

}  // namespace qn::cli
