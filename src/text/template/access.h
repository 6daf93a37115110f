// x.name and x[key], in the order in which the sandbox of Jinja looks: attributes before items for '.', items before attributes
// for '[]'. What would change a value, and names that begin with an underscore, come out undefined.
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

Result<Value> get_attribute(Machine& machine, const Value& object, std::string_view name);
Result<Value> get_item(Machine& machine, const Value& object, const Value& key);
// Only what Python calls an attribute: undefined otherwise, never an item.
Result<Value> get_attribute_only(Machine& machine, const Value& object, std::string_view name);

struct Bounds {
  Int start = 0, stop = 0, step = 1;
  std::int64_t count = 0;
};
// slice(start, stop, step).indices(length); none stands for an absent bound.
Result<Bounds> slice_bounds(const Value& start, const Value& stop, const Value& step, std::int64_t length);
Result<Value> get_slice(Machine& machine, const Value& object, const Value& start, const Value& stop, const Value& step);

// The characters [from, from + count) of a string.
std::string_view characters(const Value& string, std::int64_t from, std::int64_t count);

}  // namespace qn::text::jinja
