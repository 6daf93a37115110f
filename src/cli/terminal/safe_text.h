// Text from a model or a file, made fit for a terminal. A model can be talked into writing escape sequences; a terminal obeys them.
#pragma once

#include <string>
#include <string_view>

namespace qn::cli {

// Line ends and tabs stay; every other control character (C0, DEL, C1) becomes visible as U+FFFD. Text is whole characters.
std::string without_controls(std::string_view text);

}  // namespace qn::cli
