#include "text/template/iterate.h"

#include "base/utf8.h"
#include "text/template/machine.h"
#include "text/template/operators.h"

namespace qn::text::jinja {

bool is_iterable(const Value& value) {
  switch (value.kind()) {
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::range:
    case Kind::view:
    case Kind::iterator:
    case Kind::undefined: return true;
    default: return false;
  }
}

Result<Cursor> Cursor::over(const Value& iterable) {
  if (!is_iterable(iterable)) return type_error("{} cannot be iterated; use a list, a dict or text", type_name(iterable));
  Cursor out;
  out.iterable_ = iterable;
  return out;
}

Result<bool> Cursor::advance(Machine& machine, Value& out) {
  QN_OK(machine.work(1));
  switch (iterable_.kind()) {
    case Kind::string: {
      const std::string_view text = iterable_.text();
      if (at_ >= text.size()) return false;
      const auto bytes = static_cast<std::size_t>(utf8::decode(text.substr(at_)).bytes);
      out = machine.heap().string(std::string(text.substr(at_, bytes)));
      at_ += bytes;
      return true;
    }
    case Kind::list:
    case Kind::tuple: {
      const Values& items = iterable_.as<List>().items;
      if (at_ >= items.size()) return false;
      out = items[at_++];
      return true;
    }
    case Kind::dict: {
      const Dict& dict = iterable_.as<Dict>();
      if (at_ >= dict.entries.size()) return false;
      out = dict.entries[at_++].first;
      return true;
    }
    case Kind::range: {
      const Range& range = iterable_.as<Range>();
      if (static_cast<std::int64_t>(at_) >= range.length) return false;
      out = Value::of(range.start + range.step * static_cast<Int>(at_++));
      return true;
    }
    case Kind::view: {
      const View& view = iterable_.as<View>();
      const Dict& dict = view.dict.as<Dict>();
      if (at_ >= dict.entries.size()) return false;
      const auto& [key, value] = dict.entries[at_++];
      out = view.what == View::Of::keys ? key : view.what == View::Of::values ? value : machine.heap().pair(key, value);
      return true;
    }
    case Kind::iterator: return iterable_.as<Iterator>().advance(machine, out);
    default: return false;
  }
}

std::int64_t Cursor::length() const {
  if (iterable_.is(Kind::iterator)) return -1;
  const Result<std::int64_t> length = length_of(iterable_);
  return length ? *length : -1;
}

Result<Values> collect(Machine& machine, const Value& iterable) {
  QN_TRY(Cursor cursor, Cursor::over(iterable));
  Values out;
  Value next;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, next));
    if (!more) return out;
    if (out.size() == out.capacity()) QN_OK(machine.budget().room(out.capacity() * 2 * sizeof(Value)));
    out.push_back(std::move(next));
  }
}

Result<std::int64_t> length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return value.as<Str>().length();
    case Kind::list:
    case Kind::tuple: return static_cast<std::int64_t>(value.as<List>().items.size());
    case Kind::dict: return static_cast<std::int64_t>(value.as<Dict>().entries.size());
    case Kind::range: return value.as<Range>().length;
    case Kind::view: return static_cast<std::int64_t>(value.as<View>().dict.as<Dict>().entries.size());
    case Kind::undefined: return 0;
    default: return type_error("{} has no length; make a list of it first", type_name(value));
  }
}

}  // namespace qn::text::jinja
