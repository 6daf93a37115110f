// Variables of the environment as settings, ours before those of the programs that Quern stands in for.
#pragma once

#include <initializer_list>
#include <string>

namespace qn::cli {

// The first that says something, without the blanks and quotes that container files bring along. Empty where none does.
std::string environment_value(std::initializer_list<const char*> names);

}  // namespace qn::cli
