// The model inside the program: models/quern-mini.gguf, as the build found it.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace qn::cli {

inline constexpr std::string_view builtin_model_name = "quern-mini";

// Empty if the file was missing when the program was built.
std::span<const std::byte> builtin_model();

}  // namespace qn::cli
