// Puts the arguments of a call into the places of a signature, as Python does.
#pragma once

#include <initializer_list>

#include "text/template/machine.h"

namespace qn::text::jinja {

// names      one for each place; "" where Python takes no name
// required   how many of them have no default; a place that was not given is missing
Result<Values> bind_arguments(std::string_view callee, CallArguments& arguments, std::initializer_list<std::string_view> names,
                              std::size_t required);

// A place as a type, or its default when it was not given.
Result<Int> integer_or(std::string_view callee, const Value& value, Int otherwise);
Result<Value> string_or(Machine& machine, std::string_view callee, const Value& value, std::string_view otherwise);
bool true_or(const Value& value, bool otherwise);

}  // namespace qn::text::jinja
