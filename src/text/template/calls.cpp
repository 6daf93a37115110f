// Calls: macros, call blocks, recursive loops, methods and functions; and the loop variable.
#include <algorithm>

#include "text/template/machine.h"
#include "text/template/operators.h"

namespace qn::text::jinja {
namespace {

// An open call: macros that call each other end at the depth limit.
class OpenCall {
 public:
  explicit OpenCall(Budget& budget) : budget_(budget) { ++budget_.calls; }
  ~OpenCall() { --budget_.calls; }
  OpenCall(const OpenCall&) = delete;
  OpenCall& operator=(const OpenCall&) = delete;
  bool too_deep() const { return budget_.calls > budget_.limits().depth; }

 private:
  Budget& budget_;
};

// The value of a named argument, taken out; missing when it was not given.
Value take_named(CallArguments& arguments, std::string_view name) {
  for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it)
    if (it->first == name) {
      Value out = std::move(it->second);
      arguments.named.erase(it);
      return out;
    }
  return Value::missing();
}

}  // namespace

Result<Value> Machine::call(const Value& callee, CallArguments arguments) {
  const Nest nest(budget_);
  if (nest.too_deep()) return nested_too_deep();
  QN_OK(work(1));
  switch (callee.kind()) {
    case Kind::macro: return call_macro(callee.as<Macro>(), std::move(arguments));
    case Kind::method: return callee.as<Method>().body(*this, callee.as<Method>().self, arguments);
    case Kind::function: return callee.as<Function>().body(*this, arguments);
    case Kind::loop: return call_loop(callee.as<Loop>(), std::move(arguments));
    case Kind::joiner: {
      if (!arguments.positional.empty() || !arguments.named.empty()) return type_error("a joiner takes no arguments");
      Joiner& joiner = callee.as<Joiner>();
      if (joiner.used) return joiner.separator;
      joiner.used = true;
      return heap_.borrowed("");
    }
    case Kind::undefined: return undefined_error(callee);
    default: return type_error("{} cannot be called; remove the parentheses", type_name(callee));
  }
}

Result<Value> Machine::call_macro(const Macro& macro, CallArguments arguments) {
  const OpenCall open(budget_);
  if (open.too_deep()) return nested_too_deep();
  const MacroBody& body = *macro.body;
  const auto what = [&] { return body.anonymous ? std::string("caller()") : fmt::format("macro {}", quoted(name(body.name))); };
  const Value inner = enter(body.scope, &macro.scope.as<Scope>());
  Scope& scope = inner.as<Scope>();
  const std::size_t given = std::min(arguments.positional.size(), body.parameters.size());
  bool found_caller = given == body.parameters.size() &&
                      std::any_of(body.parameters.begin(), body.parameters.end(), [&](const auto& p) { return name(p.name) == "caller"; });
  for (std::size_t i = 0; i < body.parameters.size(); ++i) {
    const MacroBody::Parameter& parameter = body.parameters[i];
    if (i < given) {
      scope.slots[parameter.slot] = arguments.positional[i];
    } else {
      scope.slots[parameter.slot] = take_named(arguments, name(parameter.name));
      if (name(parameter.name) == "caller") found_caller = true;
    }
  }
  if (body.caller_slot >= 0 && !found_caller) {
    Value caller = take_named(arguments, "caller");
    if (caller.is(Kind::missing) || caller.is(Kind::none)) caller = heap_.undefined("no caller defined");
    scope.slots[static_cast<std::size_t>(body.caller_slot)] = caller;
  }
  if (body.kwargs_slot >= 0) {
    const Value kwargs = heap_.make<Dict>(0);
    for (auto& [key, value] : arguments.named) QN_OK(dict_set(*this, kwargs.as<Dict>(), heap_.string(key), value));
    scope.slots[static_cast<std::size_t>(body.kwargs_slot)] = kwargs;
  } else if (!arguments.named.empty()) {
    return type_error("{} has no argument {}; check its definition", what(), quoted(arguments.named.front().first));
  }
  if (body.varargs_slot >= 0) {
    Values rest(arguments.positional.begin() + static_cast<std::ptrdiff_t>(given), arguments.positional.end());
    scope.slots[static_cast<std::size_t>(body.varargs_slot)] = heap_.tuple(std::move(rest));
  } else if (arguments.positional.size() > body.parameters.size()) {
    return type_error("{} takes at most {} arguments, got {}", what(), body.parameters.size(), arguments.positional.size());
  }
  for (const MacroBody::Parameter& parameter : body.parameters) {
    if (!scope.slots[parameter.slot].is(Kind::missing)) continue;
    if (parameter.fallback) {
      QN_TRY(scope.slots[parameter.slot], evaluate(*parameter.fallback, scope));
    } else {
      scope.slots[parameter.slot] = heap_.undefined(fmt::format("parameter {} was not provided", quoted(name(parameter.name))));
    }
  }
  Text out(budget_);
  QN_TRY([[maybe_unused]] const Flow flow, execute(body.body, scope, out));
  QN_TRY(std::string text, out.take());
  return heap_.string(std::move(text));
}

Result<Value> Machine::call_loop(Loop& loop, CallArguments arguments) {
  const OpenCall open(budget_);
  if (open.too_deep()) return nested_too_deep();
  if (loop.recursive == nullptr) return type_error("loop(...) in a loop that is not recursive; add 'recursive' to its tag");
  if (arguments.positional.size() != 1 || !arguments.named.empty()) return type_error("loop(...) takes one argument: what to go through");
  const Value scope = loop.scope;
  Text out(budget_);
  QN_TRY([[maybe_unused]] const Flow flow, execute_for(*loop.recursive, arguments.positional[0], scope.as<Scope>(), out, loop.depth0 + 1));
  QN_TRY(std::string text, out.take());
  return heap_.string(std::move(text));
}

Result<bool> Loop::advance(Machine& machine, Value& out) {
  if (!after.is(Kind::missing)) {
    out = std::move(after);
    after = Value::missing();
  } else {
    QN_TRY(const bool more, cursor.advance(machine, out));
    if (!more) return false;
  }
  ++index0;
  before = std::move(current);
  current = out;
  return true;
}

Result<Value> Loop::peek(Machine& machine) {
  if (!after.is(Kind::missing)) return after;
  Value item;
  QN_TRY(const bool more, cursor.advance(machine, item));
  if (more) after = std::move(item);
  return after;
}

Result<std::int64_t> Loop::length(Machine& machine) {
  if (known_length >= 0) return known_length;
  known_length = cursor.length();
  if (known_length >= 0) return known_length;
  Values rest;
  Value item;
  while (true) {
    QN_TRY(const bool more, cursor.advance(machine, item));
    if (!more) break;
    rest.push_back(std::move(item));
  }
  known_length = static_cast<std::int64_t>(rest.size()) + index0 + 1 + (after.is(Kind::missing) ? 0 : 1);
  QN_TRY(cursor, Cursor::over(heap->list(std::move(rest))));
  return known_length;
}

}  // namespace qn::text::jinja
