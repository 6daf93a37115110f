// Python's operators on values, comparison, hashing and the dict that rests on them.
#pragma once

#include "text/template/ast.h"
#include "text/template/value.h"

namespace qn::text::jinja {

bool is_true(const Value& value);
bool is_same(const Value& a, const Value& b);  // Python's `is`
Result<bool> is_equal(Machine& machine, const Value& a, const Value& b);
Result<bool> is_less(Machine& machine, const Value& a, const Value& b);
Result<bool> compare(Machine& machine, Comparison comparison, const Value& a, const Value& b);
Result<bool> contains(Machine& machine, const Value& container, const Value& item);

Result<Value> arithmetic(Machine& machine, Sign sign, const Value& a, const Value& b);
Result<Value> negate(Machine& machine, const Value& value);
double to_real(const Value& number);
// A real to the integer it truncates to. errors   bad_input: infinite, not a number, or more than 127 bits
Result<Int> truncated(double value);
Result<Int> integer_power(Int base, Int exponent);

// Anything with a bounded recursion and no identity: equal keys have equal hashes.
Result<std::uint64_t> hash_of(Machine& machine, const Value& value);

Result<Value*> dict_find(Machine& machine, Dict& dict, const Value& key);  // null: not there
Value* dict_find(Dict& dict, std::string_view key);
Status dict_set(Machine& machine, Dict& dict, Value key, Value value);

// The error for using an undefined value.
tl::unexpected<Error> undefined_error(const Value& undefined);
template <class... A>
tl::unexpected<Error> type_error(fmt::format_string<A...> text, A&&... a) {
  return fail(Code::bad_input, text, std::forward<A>(a)...);
}

}  // namespace qn::text::jinja
