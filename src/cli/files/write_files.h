// Runs file::rewrite for a command: every core, progress on the terminal, Ctrl-C stops it and leaves no litter.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/io.h"
#include "file/rewrite.h"

namespace qn::cli {

//   verb     for the progress line: "quantizing"
//   threads  none: every core
//   errors   bad_input: a number of threads that is none; those of file::rewrite
Status write_files(const file::Checkpoint& from, std::span<const file::OutputFile> files, std::string verb, std::optional<int> threads,
                   Io& io);

// The exit code of a command that failed: of the signal, where one ended it.
int failed(Io& io, const Error& error);

// Refuses to write over what is read: the model's file, or any part of it.
Status check_not_same(const std::string& in, std::span<const file::OutputFile> files);

}  // namespace qn::cli
