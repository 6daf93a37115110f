// How much room text takes on a terminal: wide characters count two columns, combining ones none.
#pragma once

#include <cstdio>
#include <string_view>

namespace qn::cli {

int columns_of(char32_t code_point);
int columns_of(std::string_view text);  // UTF-8, without control characters

// Width of the terminal behind a stream; 0 if there is none.
int terminal_columns(std::FILE* stream);

}  // namespace qn::cli
