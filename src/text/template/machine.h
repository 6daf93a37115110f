// One render: walks the tree, holds the heap, the budget and the variables. Lives on one thread for one call.
// Invariant: after an error nothing more is evaluated, so line() is the line that failed.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/template/ast.h"
#include "text/template/iterate.h"
#include "text/template/program.h"
#include "text/template/value.h"

namespace qn::text::jinja {

struct CallArguments {
  Values positional = {};
  std::vector<std::pair<std::string, Value>> named = {};
};

struct Scope : Object {
  Scope(Heap& owner, Value outer_scope, std::size_t size)
      : Object(owner, Kind::scope), outer(std::move(outer_scope)), slots(size, Value::missing()) {}
  void clear() override { outer = Value(), slots.clear(); }
  Value outer;  // a scope, or none
  Values slots;
};

struct Macro : Object {
  Macro(Heap& owner, const MacroBody& of, Value in_scope) : Object(owner, Kind::macro), body(&of), scope(std::move(in_scope)) {}
  void clear() override { scope = Value(); }
  const MacroBody* body;
  Value scope;  // where it was defined
};

struct Loop : Object {
  Loop(Heap& owner, Cursor over, int depth) : Object(owner, Kind::loop), cursor(std::move(over)), depth0(depth) {}
  void clear() override {
    cursor = Cursor();
    after = before = current = last_changed = scope = Value::missing();
  }
  Result<bool> advance(Machine& machine, Value& out);
  Result<Value> peek(Machine& machine);  // missing at the end
  Result<std::int64_t> length(Machine& machine);

  Cursor cursor;
  std::int64_t index0 = -1;
  std::int64_t known_length = -1;
  Value after = Value::missing(), before = Value::missing(), current = Value::missing(), last_changed = Value::missing();
  const For* recursive = nullptr;  // set when loop(...) may be called
  Value scope = Value::missing();  // around that loop
  int depth0;
};

struct Cycler : Object {
  Cycler(Heap& owner, Values values) : Object(owner, Kind::cycler), items(std::move(values)) {}
  void clear() override { items.clear(); }
  Values items;
  std::size_t at = 0;
};

struct Joiner : Object {
  Joiner(Heap& owner, Value text) : Object(owner, Kind::joiner), separator(std::move(text)) {}
  void clear() override { separator = Value(); }
  Value separator;
  bool used = false;
};

using MethodBody = Result<Value> (*)(Machine&, const Value& self, CallArguments& arguments);

struct Method : Object {
  Method(Heap& owner, Value bound_to, MethodBody does) : Object(owner, Kind::method), self(std::move(bound_to)), body(does) {}
  void clear() override { self = Value(); }
  Value self;
  MethodBody body;
};

using FunctionBody = Result<Value> (*)(Machine&, CallArguments& arguments);

struct Function : Object {
  Function(Heap& owner, std::string_view called, FunctionBody does) : Object(owner, Kind::function), name(called), body(does) {}
  std::string_view name;
  FunctionBody body;
};

class Machine {
 public:
  Machine(const Program& program, const json::Object& variables, const std::tm& now);
  Result<std::string> run();
  std::int32_t line() const { return line_; }

  Heap& heap() { return heap_; }
  Budget& budget() { return budget_; }
  const std::tm& now() const { return now_; }
  Status work(std::int64_t units) { return budget_.work(units); }
  std::string_view name(std::uint32_t id) const { return program_.names[id]; }

  Result<Value> call(const Value& callee, CallArguments arguments);
  Result<Value> apply_filter(const FilterEntry& filter, const Value& subject, CallArguments arguments);
  Result<Value> apply_test(const TestEntry& test, const Value& subject, CallArguments arguments);

  // Does `node.test` hold for this item? Used by loops with an `if`.
  Result<bool> passes(const For& node, const Value& test_scope, const Value& item, Value& yielded);
  Result<Value> from_json(const json::Value& value);

 private:
  // expressions.cpp
  Result<Value> evaluate(const Expr& node, Scope& scope);
  Result<Value> evaluate_name(const Name& node, Scope& scope);
  Result<Value> evaluate_list(const ListExpr& node, Scope& scope);
  Result<Value> evaluate_dict(const DictExpr& node, Scope& scope);
  Result<Value> evaluate_unary(const Unary& node, Scope& scope);
  Result<Value> evaluate_binary(const Binary& node, Scope& scope);
  Result<Value> evaluate_logic(const Binary& node, Scope& scope);
  Result<Value> evaluate_compare(const Compare& node, Scope& scope);
  Result<Value> evaluate_concat(const Concat& node, Scope& scope);
  Result<Value> evaluate_conditional(const Conditional& node, Scope& scope);
  Result<Value> evaluate_attribute(const Attribute& node, Scope& scope);
  Result<Value> evaluate_item(const Item& node, Scope& scope);
  Result<Value> evaluate_slice(const Value& object, const Slice& node, Scope& scope);
  Result<Value> evaluate_call(const Call& node, Scope& scope, const Value* caller);
  // subject   the text of a block, where the innermost filter has no subject of its own
  Result<Value> evaluate_filter(const FilterExpr& node, Scope& scope, const Value* subject);
  Result<Value> evaluate_test(const TestExpr& node, Scope& scope);
  Result<CallArguments> evaluate_arguments(const Arguments& arguments, Scope& scope);
  Result<Value> constant(std::uint32_t which);

  // statements.cpp
  enum class Flow { onward, break_, continue_ };
  Result<Flow> execute(const Body& body, Scope& scope, Text& out);
  Result<Flow> execute(const Statement& statement, Scope& scope, Text& out);
  Result<Flow> execute_for(const For& node, const Value& iterable, Scope& scope, Text& out, int depth);
  Result<Flow> execute_if(const If& node, Scope& scope, Text& out);
  Status execute_output(const Output& node, Scope& scope, Text& out);
  Result<Flow> execute_with(const With& node, Scope& scope, Text& out);
  Result<Flow> execute_filter_block(const FilterBlock& node, Scope& scope, Text& out);
  Result<Flow> execute_assign_block(const AssignBlock& node, Scope& scope);
  Status execute_call_block(const CallBlock& node, Scope& scope, Text& out);
  Status assign(const Target& target, const Value& value, Scope& scope, bool exported);
  Value* slot(std::uint16_t hops, std::uint32_t index, Scope& scope);
  Value enter(const ScopeTable& table, Scope* outer);
  void reenter(const ScopeTable& table, Scope& scope);
  Value resolve(std::uint32_t name);
  Status print_text(const Value& value, Text& out);

  // calls.cpp
  Result<Value> call_macro(const Macro& macro, CallArguments arguments);
  Result<Value> call_loop(Loop& loop, CallArguments arguments);

  const Program& program_;
  const json::Object& variables_;
  std::tm now_;
  Budget budget_;
  Heap heap_;
  Values constants_;  // by Literal::constant; missing until used
  Values inputs_;     // by name: variables and globals; missing until used
  Values exported_;   // by name: top-level assignments
  Status resolve_status_;
  std::int32_t line_ = 1;
};

}  // namespace qn::text::jinja
