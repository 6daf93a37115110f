#include "text/template/arguments.h"

#include <algorithm>

#include "text/template/operators.h"

namespace qn::text::jinja {

Result<Values> bind_arguments(std::string_view callee, CallArguments& arguments, std::initializer_list<std::string_view> names,
                              std::size_t required) {
  if (arguments.positional.size() > names.size())
    return type_error("{}() takes at most {} arguments, got {}", callee, names.size(), arguments.positional.size());
  Values out = std::move(arguments.positional);
  out.resize(names.size(), Value::missing());
  for (auto& [name, value] : arguments.named) {
    const auto* place = std::find(names.begin(), names.end(), name);
    if (place == names.end() || name.empty()) return type_error("{}() has no argument {}; see docs/templates.md", callee, quoted(name));
    Value& slot = out[static_cast<std::size_t>(place - names.begin())];
    if (!slot.is(Kind::missing)) return type_error("{}() got argument {} twice; remove one", callee, quoted(name));
    slot = std::move(value);
  }
  for (std::size_t i = 0; i < required; ++i)
    if (out[i].is(Kind::missing)) return type_error("{}() needs {} arguments; add those that are missing", callee, required);
  return out;
}

Result<Int> integer_or(std::string_view callee, const Value& value, Int otherwise) {
  if (value.is(Kind::missing)) return otherwise;
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (!value.is_whole()) return type_error("{}() needs an integer, got {}", callee, type_name(value));
  return value.integer();
}

Result<Value> string_or(Machine& machine, std::string_view callee, const Value& value, std::string_view otherwise) {
  if (value.is(Kind::missing)) return machine.heap().borrowed(otherwise);
  if (value.is(Kind::undefined)) return undefined_error(value);
  if (!value.is(Kind::string)) return type_error("{}() needs text, got {}", callee, type_name(value));
  return value;
}

bool true_or(const Value& value, bool otherwise) {
  return value.is(Kind::missing) ? otherwise : is_true(value);
}

}  // namespace qn::text::jinja
