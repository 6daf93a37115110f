// Text with places in it: "%s" % x, "{}".format(x), and the field specification that the latter shares with Python's format().
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

struct CallArguments;

Result<Value> format_percent(Machine& machine, const Value& form, const Value& argument);
Result<Value> format_braces(Machine& machine, const Value& form, const CallArguments& arguments);

// format(value, spec): [[fill]align][sign][z][#][0][width][grouping][.precision][type]
Status format_field(Machine& machine, const Value& value, std::string_view spec, Text& out);

// Digits of a real, as Python's %-formatting gives them. conversion: one of e E f F g G
Result<std::string> format_real(double value, char conversion, int precision, bool alternate);

}  // namespace qn::text::jinja
