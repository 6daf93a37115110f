// str() and repr(), as Python prints values.
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

Status print_value(Machine& machine, const Value& value, Text& out);  // str(value)
Status print_repr(Machine& machine, const Value& value, Text& out);   // repr(value)
Result<Value> to_string(Machine& machine, const Value& value);        // str(value); the value itself if it is one
std::string print_integer(Int value);
std::string print_real(double value);

}  // namespace qn::text::jinja
