// strftime in the C locale, written out: the result may not depend on the machine's locale.
#pragma once

#include <ctime>
#include <string_view>

#include "text/template/value.h"

namespace qn::text::jinja {

// An unknown conversion is printed as it stands.
void print_time(const std::tm& time, std::string_view form, Text& out);

}  // namespace qn::text::jinja
