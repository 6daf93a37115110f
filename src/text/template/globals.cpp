#include "text/template/globals.h"

#include "text/template/arguments.h"
#include "text/template/machine.h"
#include "text/template/operators.h"
#include "text/template/print.h"
#include "text/template/strftime.h"

namespace qn::text::jinja {
namespace {

Result<Value> range(Machine& machine, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("range", arguments, {"", "", ""}, 1));
  Int start = 0, stop = 0, step = 1;
  if (places[1].is(Kind::missing)) {
    QN_TRY(stop, integer_or("range", places[0], 0));
  } else {
    QN_TRY(start, integer_or("range", places[0], 0));
    QN_TRY(stop, integer_or("range", places[1], 0));
  }
  QN_TRY(step, integer_or("range", places[2], 1));
  if (step == 0) return type_error("range() with step zero; use another");
  constexpr Int far = static_cast<Int>(1) << 100;
  for (const Int bound : {start, stop, step})
    if (bound > far || bound < -far) return type_error("range() bounds are too large; use smaller ones");
  const Int gap = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
  const Int count = gap <= 0 ? 0 : (gap - 1) / stride + 1;
  const std::int64_t most = machine.budget().limits().range;
  if (count > most) return fail(Code::too_large, "range() of more than {} items; use a shorter one", most);
  return machine.heap().make<Range>(0, start, stop, step, static_cast<std::int64_t>(count));
}

// dict(mapping or pairs, **more)
Result<Value> dict(Machine& machine, CallArguments& arguments) {
  if (arguments.positional.size() > 1) return type_error("dict() takes at most one positional argument");
  Value out = machine.heap().make<Dict>(0);
  Dict& made = out.as<Dict>();
  if (!arguments.positional.empty()) {
    const Value& from = arguments.positional[0];
    if (from.is(Kind::dict)) {
      for (const auto& [key, value] : from.as<Dict>().entries) QN_OK(dict_set(machine, made, key, value));
    } else {
      QN_TRY(const Values pairs, collect(machine, from));
      for (const Value& pair : pairs) {
        QN_TRY(const Values two, collect(machine, pair));
        if (two.size() != 2) return type_error("dict() needs pairs, got one of {} values", two.size());
        QN_OK(dict_set(machine, made, two[0], two[1]));
      }
    }
  }
  for (auto& [key, value] : arguments.named) QN_OK(dict_set(machine, made, machine.heap().string(key), value));
  return out;
}

Result<Value> make_namespace(Machine& machine, CallArguments& arguments) {
  QN_TRY(Value attributes, dict(machine, arguments));
  for (const auto& [key, value] : attributes.as<Dict>().entries)
    if (key.is(Kind::string) && key.text().substr(0, 1) == "_")
      return type_error("namespace() with {}; names that begin with '_' are private", quoted(key.text()));
  return machine.heap().make<Namespace>(0, std::move(attributes));
}

Result<Value> cycler(Machine& machine, CallArguments& arguments) {
  if (!arguments.named.empty() || arguments.positional.empty()) return type_error("cycler() needs at least one item, and no names");
  const std::size_t bytes = arguments.positional.size() * sizeof(Value);
  return machine.heap().make<Cycler>(bytes, std::move(arguments.positional));
}

Result<Value> joiner(Machine& machine, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("joiner", arguments, {"sep"}, 0));
  return machine.heap().make<Joiner>(0, places[0].is(Kind::missing) ? machine.heap().borrowed(", ") : places[0]);
}

Result<Value> raise_exception(Machine& machine, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("raise_exception", arguments, {"message"}, 1));
  QN_TRY(const Value text, to_string(machine, places[0]));
  return fail(Code::bad_input, "{}", text.text().substr(0, 2000));
}

Result<Value> strftime_now(Machine& machine, CallArguments& arguments) {
  QN_TRY(const Values places, bind_arguments("strftime_now", arguments, {"format"}, 1));
  QN_TRY(const Value form, string_or(machine, "strftime_now", places[0], ""));
  Text out(machine.budget());
  QN_OK(machine.work(static_cast<std::int64_t>(form.text().size())));
  print_time(machine.now(), form.text(), out);
  QN_TRY(std::string text, out.take());
  return machine.heap().string(std::move(text));
}

struct Row {
  std::string_view name;
  FunctionBody body;
};
constexpr Row rows[] = {
    {"range", range},
    {"dict", dict},
    {"namespace", make_namespace},
    {"cycler", cycler},
    {"joiner", joiner},
    {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
};

}  // namespace

Value make_global(Heap& heap, std::string_view name) {
  for (const Row& row : rows)
    if (row.name == name) return heap.make<Function>(0, row.name, row.body);
  return Value::missing();
}

}  // namespace qn::text::jinja
