// Evaluates expressions.
#include "text/template/access.h"
#include "text/template/arguments.h"
#include "text/template/filters.h"
#include "text/template/machine.h"
#include "text/template/operators.h"
#include "text/template/print.h"

namespace qn::text::jinja {

Result<Value> Machine::evaluate(const Expr& node, Scope& scope) {
  const Nest nest(budget_);
  if (nest.too_deep()) return nested_too_deep();
  line_ = node.line;
  QN_OK(work(1));
  switch (node.kind) {
    case ExprKind::literal: return constant(static_cast<const Literal&>(node).constant);
    case ExprKind::name: return evaluate_name(static_cast<const Name&>(node), scope);
    case ExprKind::list:
    case ExprKind::tuple: return evaluate_list(static_cast<const ListExpr&>(node), scope);
    case ExprKind::dict: return evaluate_dict(static_cast<const DictExpr&>(node), scope);
    case ExprKind::unary: return evaluate_unary(static_cast<const Unary&>(node), scope);
    case ExprKind::binary: return evaluate_binary(static_cast<const Binary&>(node), scope);
    case ExprKind::logic: return evaluate_logic(static_cast<const Binary&>(node), scope);
    case ExprKind::compare: return evaluate_compare(static_cast<const Compare&>(node), scope);
    case ExprKind::concat: return evaluate_concat(static_cast<const Concat&>(node), scope);
    case ExprKind::conditional: return evaluate_conditional(static_cast<const Conditional&>(node), scope);
    case ExprKind::attribute: return evaluate_attribute(static_cast<const Attribute&>(node), scope);
    case ExprKind::item: return evaluate_item(static_cast<const Item&>(node), scope);
    case ExprKind::slice: return type_error("a slice outside of brackets");
    case ExprKind::call: return evaluate_call(static_cast<const Call&>(node), scope, nullptr);
    case ExprKind::filter: return evaluate_filter(static_cast<const FilterExpr&>(node), scope, nullptr);
    case ExprKind::test: return evaluate_test(static_cast<const TestExpr&>(node), scope);
  }
  return Value();
}

Result<Value> Machine::constant(std::uint32_t which) {
  Value& known = constants_[which];
  if (!known.is(Kind::missing)) return known;
  const Constant& constant = program_.constants[which];
  if (const bool* boolean = std::get_if<bool>(&constant)) {
    known = Value::of(*boolean);
  } else if (const Int* integer = std::get_if<Int>(&constant)) {
    known = Value::of(*integer);
  } else if (const double* real = std::get_if<double>(&constant)) {
    known = Value::of(*real);
  } else if (const std::string* text = std::get_if<std::string>(&constant)) {
    known = heap_.borrowed(*text);
  } else {
    known = Value();
  }
  return known;
}

Result<Value> Machine::evaluate_name(const Name& node, Scope& scope) {
  const Value& value = *slot(node.hops, node.slot, scope);
  if (value.is(Kind::missing)) return heap_.undefined(fmt::format("{} is undefined", quoted(name(node.name))));
  return value;
}

Result<Value> Machine::evaluate_list(const ListExpr& node, Scope& scope) {
  Values items;
  items.reserve(node.items.size());
  for (const ExprPtr& item : node.items) {
    QN_TRY(Value value, evaluate(*item, scope));
    items.push_back(std::move(value));
  }
  return node.kind == ExprKind::tuple ? heap_.tuple(std::move(items)) : heap_.list(std::move(items));
}

Result<Value> Machine::evaluate_dict(const DictExpr& node, Scope& scope) {
  Value out = heap_.make<Dict>(0);
  for (const auto& [key_node, value_node] : node.items) {
    QN_TRY(Value key, evaluate(*key_node, scope));
    QN_TRY(Value value, evaluate(*value_node, scope));
    QN_OK(dict_set(*this, out.as<Dict>(), std::move(key), std::move(value)));
  }
  return out;
}

Result<Value> Machine::evaluate_unary(const Unary& node, Scope& scope) {
  QN_TRY(const Value operand, evaluate(*node.operand, scope));
  if (node.op == Sign::logical_not) return Value::of(!is_true(operand));
  if (node.op == Sign::negate) return negate(*this, operand);
  if (operand.is(Kind::undefined)) return undefined_error(operand);
  if (operand.is(Kind::boolean)) return Value::of(operand.integer());
  if (!operand.is_number()) return type_error("'+' before {}; it takes numbers", type_name(operand));
  return operand;
}

Result<Value> Machine::evaluate_binary(const Binary& node, Scope& scope) {
  QN_TRY(const Value left, evaluate(*node.left, scope));
  QN_TRY(const Value right, evaluate(*node.right, scope));
  return arithmetic(*this, node.op, left, right);
}

Result<Value> Machine::evaluate_logic(const Binary& node, Scope& scope) {
  QN_TRY(Value left, evaluate(*node.left, scope));
  if (is_true(left) == (node.op == Sign::logical_or)) return left;
  return evaluate(*node.right, scope);
}

Result<Value> Machine::evaluate_compare(const Compare& node, Scope& scope) {
  QN_TRY(Value left, evaluate(*node.first, scope));
  for (const auto& [comparison, right_node] : node.rest) {
    QN_TRY(Value right, evaluate(*right_node, scope));
    QN_TRY(const bool holds, compare(*this, comparison, left, right));
    if (!holds) return Value::of(false);
    left = std::move(right);
  }
  return Value::of(true);
}

Result<Value> Machine::evaluate_concat(const Concat& node, Scope& scope) {
  Text out(budget_);
  for (const ExprPtr& part : node.parts) {
    QN_TRY(const Value value, evaluate(*part, scope));
    QN_OK(print_value(*this, value, out));
  }
  QN_TRY(std::string text, out.take());
  return heap_.string(std::move(text));
}

Result<Value> Machine::evaluate_conditional(const Conditional& node, Scope& scope) {
  QN_TRY(const Value test, evaluate(*node.test, scope));
  if (is_true(test)) return evaluate(*node.yes, scope);
  if (node.no) return evaluate(*node.no, scope);
  return heap_.undefined(fmt::format("the inline if on line {} was false and has no else", node.line));
}

Result<Value> Machine::evaluate_attribute(const Attribute& node, Scope& scope) {
  QN_TRY(const Value object, evaluate(*node.object, scope));
  return get_attribute(*this, object, name(node.name));
}

Result<Value> Machine::evaluate_item(const Item& node, Scope& scope) {
  QN_TRY(const Value object, evaluate(*node.object, scope));
  if (node.key->kind == ExprKind::slice) return evaluate_slice(object, static_cast<const Slice&>(*node.key), scope);
  QN_TRY(const Value key, evaluate(*node.key, scope));
  return get_item(*this, object, key);
}

Result<Value> Machine::evaluate_slice(const Value& object, const Slice& node, Scope& scope) {
  Value bounds[3];
  const Expr* nodes[3] = {node.start.get(), node.stop.get(), node.step.get()};
  for (int i = 0; i < 3; ++i) {
    if (nodes[i] == nullptr) continue;
    QN_TRY(bounds[i], evaluate(*nodes[i], scope));
  }
  return get_slice(*this, object, bounds[0], bounds[1], bounds[2]);
}

Result<CallArguments> Machine::evaluate_arguments(const Arguments& arguments, Scope& scope) {
  CallArguments out;
  out.positional.reserve(arguments.positional.size());
  for (const ExprPtr& argument : arguments.positional) {
    QN_TRY(Value value, evaluate(*argument, scope));
    out.positional.push_back(std::move(value));
  }
  for (const auto& [id, argument] : arguments.named) {
    QN_TRY(Value value, evaluate(*argument, scope));
    out.named.emplace_back(name(id), std::move(value));
  }
  if (arguments.star) {
    QN_TRY(const Value list, evaluate(*arguments.star, scope));
    QN_TRY(Values values, collect(*this, list));
    for (Value& value : values) out.positional.push_back(std::move(value));
  }
  if (arguments.star_star) {
    QN_TRY(const Value dict, evaluate(*arguments.star_star, scope));
    if (!dict.is(Kind::dict)) return type_error("'**' before {}; it takes a dict", type_name(dict));
    for (const auto& [key, value] : dict.as<Dict>().entries) {
      QN_OK(work(1 + static_cast<std::int64_t>(out.named.size())));
      if (!key.is(Kind::string)) return type_error("'**' before a dict with a key that is {}; argument names are text", type_name(key));
      for (const auto& [other, ignored] : out.named)
        if (other == key.text()) return type_error("argument {} is given twice; remove one", quoted(other));
      out.named.emplace_back(key.text(), value);
    }
  }
  return out;
}

Result<Value> Machine::evaluate_call(const Call& node, Scope& scope, const Value* caller) {
  QN_TRY(const Value callee, evaluate(*node.callee, scope));
  QN_TRY(CallArguments arguments, evaluate_arguments(node.arguments, scope));
  if (caller != nullptr) {
    for (const auto& [other, ignored] : arguments.named)
      if (other == "caller") return type_error("argument 'caller' is given twice; the call block passes it");
    arguments.named.emplace_back("caller", *caller);
  }
  line_ = node.line;
  return call(callee, std::move(arguments));
}

Result<Value> Machine::evaluate_filter(const FilterExpr& node, Scope& scope, const Value* subject) {
  Value value;
  if (node.subject == nullptr) {
    if (subject != nullptr) value = *subject;
  } else if (node.subject->kind == ExprKind::filter) {
    const Nest nest(budget_);
    if (nest.too_deep()) return nested_too_deep();
    QN_OK(work(1));
    QN_TRY(value, evaluate_filter(static_cast<const FilterExpr&>(*node.subject), scope, subject));
  } else {
    QN_TRY(value, evaluate(*node.subject, scope));
  }
  QN_TRY(CallArguments arguments, evaluate_arguments(node.arguments, scope));
  line_ = node.line;
  if (node.filter == nullptr) return type_error("no filter named {}; see docs/templates.md for those there are", quoted(name(node.name)));
  return apply_filter(*node.filter, value, std::move(arguments));
}

Result<Value> Machine::evaluate_test(const TestExpr& node, Scope& scope) {
  QN_TRY(const Value subject, evaluate(*node.subject, scope));
  QN_TRY(CallArguments arguments, evaluate_arguments(node.arguments, scope));
  line_ = node.line;
  if (node.test == nullptr) return type_error("no test named {}; see docs/templates.md for those there are", quoted(name(node.name)));
  return apply_test(*node.test, subject, std::move(arguments));
}

Result<Value> Machine::apply_filter(const FilterEntry& filter, const Value& subject, CallArguments arguments) {
  QN_OK(work(1));
  return filter.body(*this, subject, arguments);
}

Result<Value> Machine::apply_test(const TestEntry& test, const Value& subject, CallArguments arguments) {
  QN_OK(work(1));
  QN_TRY(const bool holds, test.body(*this, subject, arguments));
  return Value::of(holds);
}

}  // namespace qn::text::jinja
