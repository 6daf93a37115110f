// The pieces of Python's str that filters, tests and methods share.
#pragma once

#include "text/template/machine.h"

namespace qn::text::jinja {

bool text_is_lower(std::string_view text);
bool text_is_upper(std::string_view text);

// Every `old` becomes `fresh`, at most `count` of them when count is not negative.
Result<Value> replace_text(Machine& machine, std::string_view text, std::string_view old, std::string_view fresh, Int count);

Result<std::vector<std::string_view>> split_lines(Machine& machine, std::string_view text, bool keep_ends);

enum class Align { left, right, center };
Result<Value> pad_text(Machine& machine, const Value& text, Int width, std::string_view fill, Align align);

}  // namespace qn::text::jinja
