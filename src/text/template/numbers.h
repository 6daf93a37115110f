// int() and float() of text, as Python reads them.
#pragma once

#include <optional>

#include "text/template/value.h"

namespace qn::text::jinja {

Result<std::optional<Int>> read_integer(std::string_view text, int base);  // none: not an integer
std::optional<double> read_real(std::string_view text);

}  // namespace qn::text::jinja
