#include "text/template/access.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/template/machine.h"
#include "text/template/markup.h"
#include "text/template/methods.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/unicode.h"

namespace qn::text::jinja {
namespace {

constexpr std::string_view changing_list[] = {"append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"};
constexpr std::string_view changing_dict[] = {"clear", "pop", "popitem", "setdefault", "update"};

// Attributes that even an undefined value of Jinja has; they are private, and so undefined again.
constexpr std::string_view names_of_undefined[] = {"__class__", "__len__",  "__iter__", "__str__",
                                                   "__eq__",    "__hash__", "__bool__", "__call__"};

template <std::size_t N>
bool is_one_of(const std::string_view (&words)[N], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

Value unsafe(Machine& machine, const Value& object, std::string_view name) {
  return machine.heap().undefined(fmt::format("access to attribute {} of {} is not safe", quoted(name), type_name(object)));
}

std::string absent(const Value& object, std::string_view what) {
  if (object.is(Kind::none)) return fmt::format("'None' has no attribute {}", quoted(what));
  return fmt::format("'{} object' has no attribute {}", type_name(object), quoted(what));
}

Result<Value> loop_attribute(Machine& machine, const Value& object, std::string_view name) {
  Loop& loop = object.as<Loop>();
  Heap& heap = machine.heap();
  if (name == "index0") return Value::of(Int{loop.index0});
  if (name == "index") return Value::of(Int{loop.index0 + 1});
  if (name == "first") return Value::of(loop.index0 == 0);
  if (name == "depth0") return Value::of(Int{loop.depth0});
  if (name == "depth") return Value::of(Int{loop.depth0 + 1});
  if (name == "previtem") return loop.index0 == 0 ? heap.undefined("there is no previous item") : loop.before;
  if (name == "last" || name == "nextitem") {
    QN_TRY(const Value next, loop.peek(machine));
    if (name == "last") return Value::of(next.is(Kind::missing));
    return next.is(Kind::missing) ? heap.undefined("there is no next item") : next;
  }
  if (name == "length" || name == "revindex" || name == "revindex0") {
    QN_TRY(const std::int64_t length, loop.length(machine));
    if (name == "length") return Value::of(Int{length});
    return Value::of(Int{length - loop.index0 - (name == "revindex0" ? 1 : 0)});
  }
  return Value::missing();
}

Value macro_attribute(Machine& machine, const Value& object, std::string_view name) {
  const MacroBody& macro = *object.as<Macro>().body;
  Heap& heap = machine.heap();
  if (name == "name") return macro.anonymous ? Value() : heap.borrowed(machine.name(macro.name));
  if (name == "arguments") {
    Values names;
    for (const MacroBody::Parameter& parameter : macro.parameters) names.push_back(heap.borrowed(machine.name(parameter.name)));
    return heap.tuple(std::move(names));
  }
  if (name == "catch_kwargs") return Value::of(macro.kwargs_slot >= 0);
  if (name == "catch_varargs") return Value::of(macro.varargs_slot >= 0);
  if (name == "caller") return Value::of(macro.caller_slot >= 0);
  return Value::missing();
}

Value number_attribute(const Value& object, std::string_view name) {
  if (name == "real" || (name == "numerator" && object.is_whole())) return object.is(Kind::real) ? object : Value::of(object.integer());
  if (name == "imag") return object.is(Kind::real) ? Value::of(0.0) : Value::of(Int{0});
  if (name == "denominator" && object.is_whole()) return Value::of(Int{1});
  return Value::missing();
}

// Missing where Python raises AttributeError.
Result<Value> attribute(Machine& machine, const Value& object, std::string_view name) {
  if (object.is(Kind::undefined) && !is_one_of(names_of_undefined, name)) return undefined_error(object);
  if (name.size() > 4 && name.substr(0, 2) == "__" && name.substr(name.size() - 2) == "__") return unsafe(machine, object, name);
  switch (object.kind()) {
    case Kind::dict:
      if (is_one_of(changing_dict, name)) return unsafe(machine, object, name);
      break;
    case Kind::list:
      if (is_one_of(changing_list, name)) return unsafe(machine, object, name);
      break;
    case Kind::tuple:
      if (object.as<List>().group && (name == "grouper" || name == "list")) return object.as<List>().items[name == "list"];
      break;
    case Kind::range:
      if (name == "start") return Value::of(object.as<Range>().start);
      if (name == "stop") return Value::of(object.as<Range>().stop);
      if (name == "step") return Value::of(object.as<Range>().step);
      break;
    case Kind::boolean:
    case Kind::integer:
    case Kind::real: {
      const Value out = number_attribute(object, name);
      if (!out.is(Kind::missing)) return out;
      break;
    }
    case Kind::namespace_:
      if (const Value* found = dict_find(object.as<Namespace>().attributes.as<Dict>(), name)) return *found;
      return Value::missing();
    case Kind::loop: {
      QN_TRY(Value out, loop_attribute(machine, object, name));
      if (!out.is(Kind::missing)) return out;
      break;
    }
    case Kind::macro: return macro_attribute(machine, object, name);
    case Kind::cycler:
      if (name == "current") return object.as<Cycler>().items[object.as<Cycler>().at];
      if (name == "items") return machine.heap().tuple(object.as<Cycler>().items);
      if (name == "pos") return Value::of(static_cast<Int>(object.as<Cycler>().at));
      break;
    default: break;
  }
  if (const MethodBody body = find_method(object.kind(), name)) return machine.heap().make<Method>(0, object, body);
  return Value::missing();
}

// Missing where Python raises TypeError or LookupError.
Result<Value> item(Machine& machine, const Value& object, const Value& key) {
  switch (object.kind()) {
    case Kind::undefined: return undefined_error(object);
    case Kind::dict: {
      if (key.is(Kind::string)) {
        const Value* found = dict_find(object.as<Dict>(), key.text());
        return found == nullptr ? Value::missing() : *found;
      }
      const Result<std::uint64_t> hash = hash_of(machine, key);
      if (!hash && hash.error().code == Code::bad_input) return Value::missing();
      QN_TRY(const Value* found, dict_find(machine, object.as<Dict>(), key));
      return found == nullptr ? Value::missing() : *found;
    }
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::range: break;
    default: return Value::missing();
  }
  if (!key.is_whole()) return Value::missing();
  QN_TRY(const std::int64_t length, length_of(object));
  Int at = key.integer();
  if (at < 0) at += length;
  if (at < 0 || at >= length) return Value::missing();
  if (object.is(Kind::string)) {
    QN_OK(machine.work(object.as<Str>().is_ascii() ? 1 : 1 + static_cast<std::int64_t>(object.text().size() / 64)));
    return with_markup(machine.heap().string(std::string(characters(object, static_cast<std::int64_t>(at), 1))), is_markup(object));
  }
  if (object.is(Kind::range)) return Value::of(object.as<Range>().start + object.as<Range>().step * at);
  return object.as<List>().items[static_cast<std::size_t>(at)];
}

}  // namespace

std::string_view characters(const Value& string, std::int64_t from, std::int64_t count) {
  const std::string_view text = string.text();
  if (string.as<Str>().is_ascii()) return text.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(count));
  const std::size_t begin = offset_of(text, from);
  return text.substr(begin, offset_of(text.substr(begin), count));
}

Result<Value> get_attribute(Machine& machine, const Value& object, std::string_view name) {
  QN_TRY(Value out, attribute(machine, object, name));
  if (!out.is(Kind::missing)) return out;
  if (object.is(Kind::dict))
    if (const Value* found = dict_find(object.as<Dict>(), name)) return *found;
  return machine.heap().undefined(absent(object, name));
}

Result<Value> get_attribute_only(Machine& machine, const Value& object, std::string_view name) {
  QN_TRY(Value out, attribute(machine, object, name));
  if (!out.is(Kind::missing)) return out;
  return machine.heap().undefined(absent(object, name));
}

Result<Value> get_item(Machine& machine, const Value& object, const Value& key) {
  QN_TRY(Value out, item(machine, object, key));
  if (!out.is(Kind::missing)) return out;
  if (key.is(Kind::string)) {
    QN_TRY(out, attribute(machine, object, key.text()));
    if (!out.is(Kind::missing)) return out;
    return machine.heap().undefined(absent(object, key.text()));
  }
  Text text(machine.budget());
  QN_OK(print_repr(machine, key, text));
  return machine.heap().undefined(fmt::format("{} object has no element {}", type_name(object), text.view().substr(0, 64)));
}

Result<Bounds> slice_bounds(const Value& start, const Value& stop, const Value& step, std::int64_t length) {
  for (const Value* bound : {&start, &stop, &step})
    if (!bound->is(Kind::none) && !bound->is_whole()) return type_error("slice bounds are integers, not {}", type_name(*bound));
  Bounds out;
  out.step = step.is(Kind::none) ? Int{1} : step.integer();
  if (out.step == 0) return type_error("slice step is zero; use another");
  const bool forward = out.step > 0;
  const Int low = forward ? 0 : -1, high = forward ? length : length - 1;
  const auto place = [&](const Value& bound, Int otherwise) {
    if (bound.is(Kind::none)) return otherwise;
    Int at = bound.integer();
    if (at < 0) at += length;
    return std::clamp(at, low, high);
  };
  out.start = place(start, forward ? low : high);
  out.stop = place(stop, forward ? high : low);
  const Int gap = forward ? out.stop - out.start : out.start - out.stop;
  const Int stride = forward ? out.step : -out.step;
  out.count = gap <= 0 ? 0 : static_cast<std::int64_t>((gap - 1) / stride + 1);
  return out;
}

Result<Value> get_slice(Machine& machine, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is(Kind::undefined)) return undefined_error(object);
  if (!object.is(Kind::string) && !object.is(Kind::list) && !object.is(Kind::tuple) && !object.is(Kind::range))
    return type_error("{} cannot be sliced; use a list or text", type_name(object));
  QN_TRY(const std::int64_t length, length_of(object));
  QN_TRY(const Bounds bounds, slice_bounds(start, stop, step, length));
  Heap& heap = machine.heap();
  if (object.is(Kind::range)) {
    const Range& range = object.as<Range>();
    const auto at = [&range](Int index) { return range.start + range.step * index; };
    return heap.make<Range>(0, at(bounds.start), at(bounds.stop), range.step * bounds.step, bounds.count);
  }
  if (object.is(Kind::string)) {
    QN_OK(machine.budget().room(object.text().size()));
    QN_OK(machine.work(1 + static_cast<std::int64_t>(object.text().size() / 16)));
    std::string out;
    if (bounds.step == 1) {
      out = characters(object, static_cast<std::int64_t>(bounds.start), bounds.count);
    } else if (bounds.count > 0) {
      std::vector<std::string_view> all;
      QN_OK(machine.budget().room(object.text().size() * sizeof(std::string_view)));
      QN_OK(machine.work(static_cast<std::int64_t>(object.text().size())));
      for (std::string_view rest = object.text(); !rest.empty(); rest.remove_prefix(all.back().size()))
        all.push_back(rest.substr(0, static_cast<std::size_t>(utf8::decode(rest).bytes)));
      for (std::int64_t i = 0; i < bounds.count; ++i) out += all[static_cast<std::size_t>(bounds.start + bounds.step * i)];
    }
    return with_markup(heap.string(std::move(out)), is_markup(object));
  }
  QN_OK(machine.budget().room(static_cast<std::size_t>(bounds.count) * sizeof(Value)));
  QN_OK(machine.work(1 + bounds.count));
  const Values& items = object.as<List>().items;
  Values out;
  out.reserve(static_cast<std::size_t>(bounds.count));
  for (std::int64_t i = 0; i < bounds.count; ++i) out.push_back(items[static_cast<std::size_t>(bounds.start + bounds.step * i)]);
  return object.is(Kind::tuple) ? heap.tuple(std::move(out)) : heap.list(std::move(out));
}

}  // namespace qn::text::jinja
