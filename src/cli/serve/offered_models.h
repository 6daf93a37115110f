// Which models a server offers, from what was named on its command line: files, folders, names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"
#include "serve/model_host.h"

namespace qn::cli {

// "quern-mini", "model.gguf", "chat=model.gguf" (called `chat`), or a folder: every model inside.
// Each is called as its file is, without .gguf, and answers to its file's name and to the word too.
//   load     how each is loaded
//   errors   not_found: no such file, or a folder without a model; unsupported: a folder of safetensors; what to do instead
Status add_models(std::string_view word, const serve::LoadOptions& load, std::vector<serve::ServedModel>& models);

// The files of a folder and of its folders that a model begins in, by name: of a model in parts the first, no projectors.
std::vector<std::filesystem::path> model_files(const std::filesystem::path& folder);

// "qwq-32b-q4_k_m" of ".../qwq-32b-q4_k_m-00001-of-00003.gguf".
std::string model_name(const std::filesystem::path& file);

}  // namespace qn::cli
