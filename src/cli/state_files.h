// Small files that the program keeps for its user: history and saved chats. Readable by the user alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qn::cli {

// $XDG_STATE_HOME/quern, or ~/.local/state/quern; empty if neither is known.
std::filesystem::path state_directory();

//   errors   not_found; bad_input: not a regular file; too_large; io
Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t max_bytes);

// Writes beside the target and renames, so a file is never half written. Makes the folder if need be.
Status replace_file(const std::filesystem::path& path, std::string_view text);

}  // namespace qn::cli
