// Going through anything that Python can iterate.
#pragma once

#include "text/template/value.h"

namespace qn::text::jinja {

// A place in an iterable.
class Cursor {
 public:
  Cursor() = default;
  // errors   bad_input: the value cannot be iterated
  static Result<Cursor> over(const Value& iterable);
  Result<bool> advance(Machine& machine, Value& out);  // false at the end
  // How many in all, if the iterable knows; -1 otherwise.
  std::int64_t length() const;

 private:
  Value iterable_;
  std::size_t at_ = 0;  // index, or byte offset in a string
};

bool is_iterable(const Value& value);

// Everything that is left of an iterable.
Result<Values> collect(Machine& machine, const Value& iterable);

// len(); errors where Python has no length.
Result<std::int64_t> length_of(const Value& value);

}  // namespace qn::text::jinja
