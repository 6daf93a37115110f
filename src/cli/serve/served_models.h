// The models that `quern serve` offers: what the command line names, as the host takes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/model_host.h"

namespace qn::cli {

// A model by its file's path or as "quern-mini". It answers to its name as given, to the file's name, and to that without ".gguf".
//   errors   not_found: no such file; bad_input: no model file
Result<serve::ServedModel> served_model(const std::string& name, const serve::LoadOptions& options);

}  // namespace qn::cli
