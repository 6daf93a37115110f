// SavedChat: a chat in a file, as /save writes it and /load reads it: JSON, one object, this version's names only.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/parameters.h"
#include "text/chat/chat.h"

namespace qn::cli {

struct SavedChat {
  std::string model;  // a path, or the built-in model's name
  std::string system;
  serve::Parameters parameters;
  std::vector<text::Message> messages;  // user and assistant
};

std::string print_saved_chat(const SavedChat& chat);
//   errors   bad_input: where and what was expected; too_large
Result<SavedChat> parse_saved_chat(std::string_view text);

// What contains '/' or ends in .json is a path; any other name is a file in the state directory.
std::filesystem::path saved_chat_path(const std::string& name);

// Writes beside the target and renames, so a chat is never half saved.
Status save_chat(const SavedChat& chat, const std::filesystem::path& path);
//   errors   not_found; those of parse_saved_chat
Result<SavedChat> load_chat(const std::filesystem::path& path);

}  // namespace qn::cli
