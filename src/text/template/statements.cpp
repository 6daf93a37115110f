// Executes statements, and gives scopes their variables.
#include "text/template/globals.h"
#include "text/template/machine.h"
#include "text/template/operators.h"
#include "text/template/print.h"

namespace qn::text::jinja {
namespace {

// The items of a loop with an `if`: each is tested when it is asked for, so the body can change what the test sees.
struct TestedItems : Iterator {
  TestedItems(Heap& owner, Cursor over, const For& loop, Value test_scope)
      : Iterator(owner), cursor(std::move(over)), node(loop), scope(std::move(test_scope)) {}
  void clear() override { cursor = Cursor(), scope = Value(); }
  Result<bool> advance(Machine& machine, Value& out) override {
    Value item;
    while (true) {
      QN_TRY(const bool more, cursor.advance(machine, item));
      if (!more) return false;
      QN_TRY(const bool passes, machine.passes(node, scope, item, out));
      if (passes) return true;
    }
  }
  Cursor cursor;
  const For& node;
  Value scope;
};

}  // namespace

Machine::Machine(const Program& program, const json::Object& variables, const std::tm& now)
    : program_(program), variables_(variables), now_(now), budget_(program.limits), heap_(budget_) {
  constants_.resize(program.constants.size(), Value::missing());
  inputs_.resize(program.names.size(), Value::missing());
  exported_.resize(program.names.size(), Value::missing());
}

Result<std::string> Machine::run() {
  Text out(budget_);
  const Value root = enter(program_.scope, nullptr);
  QN_TRY([[maybe_unused]] const Flow flow, execute(program_.body, root.as<Scope>(), out));
  QN_OK(resolve_status_);
  QN_OK(work(0));
  return out.take();
}

Value Machine::resolve(std::uint32_t id) {
  if (!exported_[id].is(Kind::missing)) return exported_[id];
  if (!inputs_[id].is(Kind::missing)) return inputs_[id];
  const std::string_view text = name(id);
  if (const json::Value* given = variables_.if_contains({text.data(), text.size()})) {
    Result<Value> value = from_json(*given);
    if (value) {
      inputs_[id] = *value;
    } else if (resolve_status_) {
      resolve_status_ = tl::unexpected<Error>(value.error());
    }
  } else {
    inputs_[id] = make_global(heap_, text);
  }
  return inputs_[id];
}

Result<Value> Machine::from_json(const json::Value& value) {
  QN_OK(work(1));
  switch (value.kind()) {
    case boost::json::kind::null: return Value();
    case boost::json::kind::bool_: return Value::of(value.get_bool());
    case boost::json::kind::int64: return Value::of(Int{value.get_int64()});
    case boost::json::kind::uint64: return Value::of(static_cast<Int>(value.get_uint64()));
    case boost::json::kind::double_: return Value::of(value.get_double());
    case boost::json::kind::string: return heap_.borrowed({value.get_string().data(), value.get_string().size()});
    case boost::json::kind::array:
    case boost::json::kind::object: break;
  }
  const Nest nest(budget_);
  if (nest.too_deep()) return nested_too_deep();
  if (value.is_array()) {
    Values items;
    items.reserve(value.get_array().size());
    for (const json::Value& element : value.get_array()) {
      QN_TRY(Value item, from_json(element));
      items.push_back(std::move(item));
    }
    return heap_.list(std::move(items));
  }
  Value out = heap_.make<Dict>(0);
  for (const auto& member : value.get_object()) {
    QN_TRY(Value item, from_json(member.value()));
    QN_OK(dict_set(*this, out.as<Dict>(), heap_.borrowed({member.key().data(), member.key().size()}), std::move(item)));
  }
  return out;
}

Value* Machine::slot(std::uint16_t hops, std::uint32_t index, Scope& scope) {
  Scope* at = &scope;
  for (; hops > 0; --hops) at = &at->outer.as<Scope>();
  return &at->slots[index];
}

Value Machine::enter(const ScopeTable& table, Scope* outer) {
  Value out = heap_.make<Scope>(table.variables.size() * sizeof(Value), outer == nullptr ? Value() : Value(outer), table.variables.size());
  reenter(table, out.as<Scope>());
  return out;
}

void Machine::reenter(const ScopeTable& table, Scope& scope) {
  for (std::size_t i = 0; i < table.variables.size(); ++i) {
    const Variable& variable = table.variables[i];
    switch (variable.load) {
      case Load::parameter:
      case Load::missing: scope.slots[i] = Value::missing(); break;
      case Load::resolve: scope.slots[i] = resolve(variable.name); break;
      case Load::alias: scope.slots[i] = *slot(variable.hops, variable.slot, scope.outer.as<Scope>()); break;
    }
  }
}

// What a block gives is not converted.
Status Machine::print_text(const Value& value, Text& out) {
  if (!value.is(Kind::string)) return type_error("a call or filter block gave {}; it must give text", type_name(value));
  return print_value(*this, value, out);
}

Result<Machine::Flow> Machine::execute(const Body& body, Scope& scope, Text& out) {
  const Nest nest(budget_);
  if (nest.too_deep()) return nested_too_deep();
  QN_OK(resolve_status_);
  for (const auto& statement : body) {
    QN_TRY(const Flow flow, execute(*statement, scope, out));
    if (flow != Flow::onward) return flow;
  }
  return Flow::onward;
}

Result<Machine::Flow> Machine::execute(const Statement& statement, Scope& scope, Text& out) {
  line_ = statement.line;
  QN_OK(work(1));
  switch (statement.kind) {
    case StatementKind::output: QN_OK(execute_output(static_cast<const Output&>(statement), scope, out)); break;
    case StatementKind::if_: return execute_if(static_cast<const If&>(statement), scope, out);
    case StatementKind::for_: {
      const auto& node = static_cast<const For&>(statement);
      QN_TRY(const Value iterable, evaluate(*node.iterable, scope));
      if (!node.recursive) return execute_for(node, iterable, scope, out, 0);
      QN_TRY([[maybe_unused]] const Flow inner, execute_for(node, iterable, scope, out, 0));
      break;
    }
    case StatementKind::assign: {
      const auto& node = static_cast<const Assign&>(statement);
      QN_TRY(const Value value, evaluate(*node.value, scope));
      QN_OK(assign(node.target, value, scope, node.exported));
      break;
    }
    case StatementKind::assign_block: return execute_assign_block(static_cast<const AssignBlock&>(statement), scope);
    case StatementKind::macro: {
      const auto& node = static_cast<const MacroStatement&>(statement);
      QN_OK(assign(node.target, heap_.make<Macro>(0, node.macro, Value(&scope)), scope, node.exported));
      break;
    }
    case StatementKind::call_block: QN_OK(execute_call_block(static_cast<const CallBlock&>(statement), scope, out)); break;
    case StatementKind::filter_block: return execute_filter_block(static_cast<const FilterBlock&>(statement), scope, out);
    case StatementKind::with: return execute_with(static_cast<const With&>(statement), scope, out);
    case StatementKind::scope: {
      const auto& node = static_cast<const ScopeStatement&>(statement);
      const Value inner = enter(node.scope, node.isolated ? nullptr : &scope);
      return execute(node.body, inner.as<Scope>(), out);
    }
    case StatementKind::break_: return Flow::break_;
    case StatementKind::continue_: return Flow::continue_;
  }
  return Flow::onward;
}

Status Machine::execute_output(const Output& node, Scope& scope, Text& out) {
  for (const Output::Piece& piece : node.pieces) {
    if (!piece.expression) {
      out.add(piece.text);
      QN_OK(out.status());
      continue;
    }
    QN_TRY(const Value value, evaluate(*piece.expression, scope));
    QN_OK(print_value(*this, value, out));
    QN_OK(out.status());
  }
  return {};
}

Result<Machine::Flow> Machine::execute_if(const If& node, Scope& scope, Text& out) {
  for (const If::Branch& branch : node.branches) {
    if (branch.test) {
      QN_TRY(const Value test, evaluate(*branch.test, scope));
      if (!is_true(test)) continue;
    }
    return execute(branch.body, scope, out);
  }
  return Flow::onward;
}

Result<bool> Machine::passes(const For& node, const Value& test_scope, const Value& item, Value& yielded) {
  Scope& scope = test_scope.as<Scope>();
  QN_OK(assign(node.test_target, item, scope, false));
  QN_TRY(const Value test, evaluate(*node.test, scope));
  if (!is_true(test)) return false;
  yielded = item;
  return true;
}

Result<Machine::Flow> Machine::execute_for(const For& node, const Value& iterable, Scope& scope, Text& out, int depth) {
  const Nest nest(budget_);
  if (nest.too_deep()) return nested_too_deep();
  QN_TRY(Cursor cursor, Cursor::over(iterable));
  if (node.test) {
    const Value tested = heap_.make<TestedItems>(0, std::move(cursor), node, enter(node.test_scope, &scope));
    QN_TRY(cursor, Cursor::over(tested));
  }
  Value loop;  // only where the body says `loop`
  if (node.loop_slot >= 0) {
    loop = heap_.make<Loop>(0, std::move(cursor), depth);
    if (node.recursive) {
      loop.as<Loop>().recursive = &node;
      loop.as<Loop>().scope = Value(&scope);
    }
  }
  Value inner, item;
  bool ran = false;
  Flow flow = Flow::onward;
  while (flow != Flow::break_) {
    QN_TRY(const bool more, node.loop_slot >= 0 ? loop.as<Loop>().advance(*this, item) : cursor.advance(*this, item));
    if (!more) break;
    // A scope that a macro holds on to is left to it; otherwise it serves again.
    if (inner.is(Kind::scope) && inner.object()->references == 1) {
      reenter(node.body_scope, inner.as<Scope>());
    } else {
      inner = enter(node.body_scope, &scope);
    }
    if (node.loop_slot >= 0) inner.as<Scope>().slots[static_cast<std::size_t>(node.loop_slot)] = loop;
    line_ = node.line;
    QN_OK(assign(node.target, item, inner.as<Scope>(), false));
    QN_TRY(flow, execute(node.body, inner.as<Scope>(), out));
    ran = ran || flow == Flow::onward;
  }
  // As compiled by Jinja: an iteration counts only once its end is reached.
  if (ran || node.otherwise.empty()) return Flow::onward;
  inner = enter(node.else_scope, &scope);
  return execute(node.otherwise, inner.as<Scope>(), out);
}

Result<Machine::Flow> Machine::execute_with(const With& node, Scope& scope, Text& out) {
  const Value inner = enter(node.scope, &scope);
  for (std::size_t i = 0; i < node.targets.size(); ++i) {
    QN_TRY(const Value value, evaluate(*node.values[i], scope));
    QN_OK(assign(node.targets[i], value, inner.as<Scope>(), false));
  }
  return execute(node.body, inner.as<Scope>(), out);
}

Result<Machine::Flow> Machine::execute_filter_block(const FilterBlock& node, Scope& scope, Text& out) {
  const Value inner = enter(node.scope, &scope);
  Text text(budget_);
  QN_TRY(const Flow flow, execute(node.body, inner.as<Scope>(), text));
  if (flow != Flow::onward) return flow;
  QN_TRY(std::string taken, text.take());
  const Value subject = heap_.string(std::move(taken));
  QN_TRY(const Value value, evaluate_filter(static_cast<const FilterExpr&>(*node.filter), inner.as<Scope>(), &subject));
  QN_OK(print_text(value, out));
  return Flow::onward;
}

Result<Machine::Flow> Machine::execute_assign_block(const AssignBlock& node, Scope& scope) {
  const Value inner = enter(node.scope, &scope);
  Text text(budget_);
  QN_TRY(const Flow flow, execute(node.body, inner.as<Scope>(), text));
  if (flow != Flow::onward) return flow;
  QN_TRY(std::string taken, text.take());
  Value value = heap_.string(std::move(taken));
  if (node.filter) {
    const Value subject = value;
    QN_TRY(value, evaluate_filter(static_cast<const FilterExpr&>(*node.filter), inner.as<Scope>(), &subject));
  }
  QN_OK(assign(node.target, value, scope, node.exported));
  return Flow::onward;
}

Status Machine::execute_call_block(const CallBlock& node, Scope& scope, Text& out) {
  const Value caller = heap_.make<Macro>(0, node.caller, Value(&scope));
  if (!node.call) {
    QN_TRY(const Value text, call(caller, {}));
    return print_text(text, out);
  }
  line_ = node.line;
  QN_TRY(const Value value, evaluate_call(static_cast<const Call&>(*node.call), scope, &caller));
  return print_text(value, out);
}

Status Machine::assign(const Target& target, const Value& value, Scope& scope, bool exported) {
  if (target.kind == Target::Kind::name) {
    *slot(target.hops, target.slot, scope) = value;
    if (exported) exported_[target.name] = value;
    return {};
  }
  if (target.kind == Target::Kind::attribute) {
    const Value& object = *slot(target.hops, target.slot, scope);
    if (!object.is(Kind::namespace_)) return type_error("cannot assign to an attribute of {}; make it a namespace()", type_name(object));
    const std::string_view text = name(target.attribute);
    if (text.substr(0, 1) == "_") return type_error("cannot assign to {}; names that begin with '_' are private", quoted(text));
    const Value space = object;
    return dict_set(*this, space.as<Namespace>().attributes.as<Dict>(), heap_.borrowed(text), value);
  }
  QN_TRY(const Values items, collect(*this, value));
  if (items.size() != target.items.size())
    return type_error("cannot unpack {} values into {} names; make them as many", items.size(), target.items.size());
  for (std::size_t i = 0; i < items.size(); ++i) QN_OK(assign(target.items[i], items[i], scope, exported));
  return {};
}

}  // namespace qn::text::jinja
