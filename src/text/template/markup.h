// Text marked as escaped HTML, which the filters escape, safe and xmlattr give: adding plain text to it escapes the plain text.
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

inline bool is_markup(const Value& value) {
  return value.is(Kind::string) && value.as<Str>().markup;
}
Value with_markup(Value fresh_string, bool markup);
Result<Value> escape(Machine& machine, const Value& value);                  // always markup
Result<Value> join_texts(Machine& machine, const Value& a, const Value& b);  // a + b, two strings

}  // namespace qn::text::jinja
