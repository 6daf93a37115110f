// Names of models, compared as their users write them: case does not matter, `:latest` is implied, and the default registry may be said.
#pragma once

#include <string>
#include <string_view>

namespace qn::serve {

// "Registry.ollama.ai/library/QwQ:latest" → "qwq".
std::string plain_name(std::string_view name);

// Whether `name` is meant by `pattern`: the same name, or the same beginning where the pattern ends with '*'.
bool matches_name(std::string_view pattern, std::string_view name);

}  // namespace qn::serve
