// The methods of lists, dicts, loops and cyclers, and the way to all of them.
#include "text/template/methods.h"

#include <cmath>

#include "text/template/access.h"
#include "text/template/arguments.h"
#include "text/template/iterate.h"
#include "text/template/operators.h"

namespace qn::text::jinja {
namespace {

// --- list, tuple, range ---

Result<Value> list_count(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("count", arguments, {""}, 1));
  QN_TRY(Cursor cursor, Cursor::over(self));
  Int count = 0;
  Value item;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) return Value::of(count);
    QN_TRY(const bool same, is_equal(machine, item, places[0]));
    count += same;
  }
}

Result<Value> list_index(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("index", arguments, {"", "", ""}, 1));
  QN_TRY(const std::int64_t length, length_of(self));
  const auto none = [](const Value& bound) { return bound.is(Kind::missing) ? Value() : bound; };
  QN_TRY(const Bounds bounds, slice_bounds(none(places[1]), none(places[2]), Value(), length));
  for (std::int64_t i = 0; i < bounds.count; ++i) {
    QN_TRY(const Value item, get_item(machine, self, Value::of(bounds.start + i)));
    QN_TRY(const bool same, is_equal(machine, item, places[0]));
    if (same) return Value::of(bounds.start + i);
  }
  return type_error("index of a value that is not in the list; test it with 'in'");
}

Result<Value> list_copy(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("copy", arguments, {}, 0));
  if (!self.is(Kind::list)) return type_error("{} has no method copy", type_name(self));
  QN_TRY(Values items, collect(machine, self));
  return machine.heap().list(std::move(items));
}

constexpr MethodRow list_rows[] = {{"count", list_count}, {"index", list_index}, {"copy", list_copy}};
constexpr MethodRow tuple_rows[] = {{"count", list_count}, {"index", list_index}};

// --- dict ---

template <View::Of what>
Result<Value> view(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("a view of a dict", arguments, {}, 0));
  return machine.heap().make<View>(0, self, what);
}

Result<Value> dict_get(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("get", arguments, {"", ""}, 1));
  QN_TRY(const Value* found, dict_find(machine, self.as<Dict>(), places[0]));
  if (found != nullptr) return *found;
  return places[1].is(Kind::missing) ? Value() : places[1];
}

Result<Value> dict_copy(Machine& machine, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("copy", arguments, {}, 0));
  Value out = machine.heap().make<Dict>(0);
  for (const auto& [key, value] : self.as<Dict>().entries) QN_OK(dict_set(machine, out.as<Dict>(), key, value));
  return out;
}

Result<Value> dict_fromkeys(Machine& machine, const Value&, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("fromkeys", arguments, {"", ""}, 1));
  QN_TRY(const Values keys, collect(machine, places[0]));
  Value out = machine.heap().make<Dict>(0);
  for (const Value& key : keys) QN_OK(dict_set(machine, out.as<Dict>(), key, places[1].is(Kind::missing) ? Value() : places[1]));
  return out;
}

constexpr MethodRow dict_rows[] = {
    {"keys", view<View::Of::keys>},
    {"values", view<View::Of::values>},
    {"items", view<View::Of::items>},
    {"get", dict_get},
    {"copy", dict_copy},
    {"fromkeys", dict_fromkeys},
};

// --- numbers ---

Result<Value> is_integer(Machine&, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("is_integer", arguments, {}, 0));
  return Value::of(std::isfinite(self.real()) && self.real() == std::trunc(self.real()));
}

Result<Value> bit_length(Machine&, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("bit_length", arguments, {}, 0));
  auto rest = self.integer() < 0 ? -static_cast<unsigned __int128>(self.integer()) : static_cast<unsigned __int128>(self.integer());
  Int bits = 0;
  for (; rest != 0; rest >>= 1) ++bits;
  return Value::of(bits);
}

constexpr MethodRow real_rows[] = {{"is_integer", is_integer}};
constexpr MethodRow integer_rows[] = {{"bit_length", bit_length}};

// --- loop ---

Result<Value> loop_cycle(Machine&, const Value& self, CallArguments& arguments) {
  if (!arguments.named.empty() || arguments.positional.empty()) return type_error("loop.cycle() needs at least one value, and no names");
  return arguments.positional[static_cast<std::size_t>(self.as<Loop>().index0) % arguments.positional.size()];
}

Result<Value> loop_changed(Machine& machine, const Value& self, CallArguments& arguments) {
  if (!arguments.named.empty()) return type_error("loop.changed() takes no names");
  const Value now = machine.heap().tuple(std::move(arguments.positional));
  Loop& loop = self.as<Loop>();
  QN_TRY(const bool same, is_equal(machine, loop.last_changed, now));
  if (!same) loop.last_changed = now;
  return Value::of(!same);
}

constexpr MethodRow loop_rows[] = {{"cycle", loop_cycle}, {"changed", loop_changed}};

// --- cycler ---

Result<Value> cycler_next(Machine&, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("next", arguments, {}, 0));
  Cycler& cycler = self.as<Cycler>();
  const Value out = cycler.items[cycler.at];
  cycler.at = (cycler.at + 1) % cycler.items.size();
  return out;
}

Result<Value> cycler_reset(Machine&, const Value& self, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("reset", arguments, {}, 0));
  self.as<Cycler>().at = 0;
  return Value();
}

constexpr MethodRow cycler_rows[] = {{"next", cycler_next}, {"reset", cycler_reset}};

}  // namespace

std::span<const MethodRow> list_methods() {
  return list_rows;
}
std::span<const MethodRow> dict_methods() {
  return dict_rows;
}
std::span<const MethodRow> loop_methods() {
  return loop_rows;
}
std::span<const MethodRow> cycler_methods() {
  return cycler_rows;
}

MethodBody find_method(Kind of, std::string_view name) {
  std::span<const MethodRow> rows;
  switch (of) {
    case Kind::string: rows = string_methods(); break;
    case Kind::list: rows = list_methods(); break;
    case Kind::tuple:
    case Kind::range: rows = tuple_rows; break;
    case Kind::dict: rows = dict_methods(); break;
    case Kind::boolean:
    case Kind::integer: rows = integer_rows; break;
    case Kind::real: rows = real_rows; break;
    case Kind::loop: rows = loop_methods(); break;
    case Kind::cycler: rows = cycler_methods(); break;
    default: return nullptr;
  }
  for (const MethodRow& row : rows)
    if (row.name == name) return row.body;
  return nullptr;
}

}  // namespace qn::text::jinja
