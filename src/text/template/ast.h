// A template as a tree. Names are resolved to (hops, slot) by scopes.cpp before anything runs.
// Invariant: no tree is higher than its TemplateLimits::depth allows (expressions: Budget::max_level), so walking it may recurse.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "text/template/value.h"

namespace qn::text::jinja {

struct FilterEntry;
struct TestEntry;

enum class ExprKind : std::uint8_t {
  literal,
  name,
  list,
  tuple,
  dict,
  unary,
  binary,
  logic,
  compare,
  concat,
  conditional,
  attribute,
  item,
  slice,
  call,
  filter,
  test
};

struct Expr {
  Expr(ExprKind expr_kind, std::int32_t at_line) : kind(expr_kind), line(at_line) {}
  virtual ~Expr() = default;
  ExprKind kind;
  std::uint16_t height = 1;
  std::int32_t line;
};
using ExprPtr = std::unique_ptr<Expr>;

using Constant = std::variant<std::monostate, bool, Int, double, std::string>;

struct Literal : Expr {
  Literal(std::int32_t at_line, std::uint32_t which) : Expr(ExprKind::literal, at_line), constant(which) {}
  std::uint32_t constant;  // into Program::constants
};

struct Name : Expr {
  Name(std::int32_t at_line, std::uint32_t which) : Expr(ExprKind::name, at_line), name(which) {}
  std::uint32_t name;      // into Program::names
  std::uint32_t slot = 0;  // in the scope `hops` scopes out
  std::uint16_t hops = 0;
};

struct ListExpr : Expr {  // and tuple
  using Expr::Expr;
  std::vector<ExprPtr> items;
};

struct DictExpr : Expr {
  explicit DictExpr(std::int32_t at_line) : Expr(ExprKind::dict, at_line) {}
  std::vector<std::pair<ExprPtr, ExprPtr>> items;
};

enum class Sign : std::uint8_t { add, sub, mul, div, floordiv, mod, pow, negate, plus, logical_not, logical_and, logical_or };

struct Unary : Expr {
  Unary(std::int32_t at_line, Sign sign, ExprPtr of) : Expr(ExprKind::unary, at_line), op(sign), operand(std::move(of)) {}
  Sign op;
  ExprPtr operand;
};

struct Binary : Expr {  // and logic
  Binary(ExprKind binary_or_logic, std::int32_t at_line, Sign sign, ExprPtr l, ExprPtr r)
      : Expr(binary_or_logic, at_line), op(sign), left(std::move(l)), right(std::move(r)) {}
  Sign op;
  ExprPtr left, right;
};

enum class Comparison : std::uint8_t { eq, ne, lt, le, gt, ge, in, not_in };

struct Compare : Expr {
  explicit Compare(std::int32_t at_line) : Expr(ExprKind::compare, at_line) {}
  ExprPtr first;
  std::vector<std::pair<Comparison, ExprPtr>> rest;  // a < b < c holds when each neighbouring pair does
};

struct Concat : Expr {
  explicit Concat(std::int32_t at_line) : Expr(ExprKind::concat, at_line) {}
  std::vector<ExprPtr> parts;
};

struct Conditional : Expr {
  explicit Conditional(std::int32_t at_line) : Expr(ExprKind::conditional, at_line) {}
  ExprPtr test, yes, no;  // no: null when there is no else
};

struct Attribute : Expr {
  Attribute(std::int32_t at_line, ExprPtr of, std::uint32_t which)
      : Expr(ExprKind::attribute, at_line), object(std::move(of)), name(which) {}
  ExprPtr object;
  std::uint32_t name;  // into Program::names
};

struct Item : Expr {
  Item(std::int32_t at_line, ExprPtr of, ExprPtr which) : Expr(ExprKind::item, at_line), object(std::move(of)), key(std::move(which)) {}
  ExprPtr object, key;
};

struct Slice : Expr {  // only as the key of an Item
  explicit Slice(std::int32_t at_line) : Expr(ExprKind::slice, at_line) {}
  ExprPtr start, stop, step;  // each may be null
};

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::uint32_t, ExprPtr>> named;  // names into Program::names
  ExprPtr star, star_star;                               // *list, **dict; each may be null
};

struct Call : Expr {
  explicit Call(std::int32_t at_line) : Expr(ExprKind::call, at_line) {}
  ExprPtr callee;
  Arguments arguments;
};

struct FilterExpr : Expr {
  explicit FilterExpr(std::int32_t at_line) : Expr(ExprKind::filter, at_line) {}
  ExprPtr subject;  // null in a filter block: the block's text
  std::uint32_t name = 0;
  const FilterEntry* filter = nullptr;  // null when there is none of that name: an error if it is reached
  Arguments arguments;
};

struct TestExpr : Expr {
  explicit TestExpr(std::int32_t at_line) : Expr(ExprKind::test, at_line) {}
  ExprPtr subject;
  std::uint32_t name = 0;
  const TestEntry* test = nullptr;
  Arguments arguments;
};

// --- statements ---

enum class StatementKind : std::uint8_t {
  output,
  if_,
  for_,
  assign,
  assign_block,
  macro,
  call_block,
  filter_block,
  with,
  scope,
  break_,
  continue_
};

struct Statement {
  Statement(StatementKind statement_kind, std::int32_t at_line) : kind(statement_kind), line(at_line) {}
  virtual ~Statement() = default;
  StatementKind kind;
  std::int32_t line;
};
using Body = std::vector<std::unique_ptr<Statement>>;

// How a variable of a scope begins.
enum class Load : std::uint8_t {
  parameter,  // set by whoever enters the scope
  resolve,    // from the variables given to render, the exported ones, or the globals
  alias,      // the outer scope's value, copied on entry
  missing,    // not there until assigned
};

struct Variable {
  std::uint32_t name;
  Load load;
  std::uint16_t hops = 0;  // of an alias: where the outer one is
  std::uint32_t slot = 0;
};

struct ScopeTable {
  std::vector<Variable> variables;  // one for each slot
};

// What may stand left of '='.
struct Target {
  enum class Kind : std::uint8_t { name, attribute, tuple };
  Kind kind = Kind::name;
  std::int32_t line = 0;
  std::uint32_t name = 0, attribute = 0;  // name, or name.attribute
  std::uint32_t slot = 0;
  std::uint16_t hops = 0;
  std::vector<Target> items;  // of a tuple
};

struct Output : Statement {
  explicit Output(std::int32_t at_line) : Statement(StatementKind::output, at_line) {}
  struct Piece {
    std::string text;  // used when there is no expression
    ExprPtr expression;
  };
  std::vector<Piece> pieces;
};

struct If : Statement {
  explicit If(std::int32_t at_line) : Statement(StatementKind::if_, at_line) {}
  struct Branch {
    ExprPtr test;  // null: else
    Body body;
  };
  std::vector<Branch> branches;
};

struct For : Statement {
  explicit For(std::int32_t at_line) : Statement(StatementKind::for_, at_line) {}
  Target target;       // resolved in body_scope
  Target test_target;  // the same names, resolved in test_scope
  ExprPtr iterable, test;
  Body body, otherwise;
  bool recursive = false;
  ScopeTable body_scope, test_scope, else_scope;
  std::int32_t loop_slot = -1;  // in body_scope; -1: the body does not use `loop`
};

struct Assign : Statement {
  explicit Assign(std::int32_t at_line) : Statement(StatementKind::assign, at_line) {}
  Target target;
  ExprPtr value;
  bool exported = false;  // at the top level: macros that run later resolve it
};

struct AssignBlock : Statement {
  explicit AssignBlock(std::int32_t at_line) : Statement(StatementKind::assign_block, at_line) {}
  Target target;
  ExprPtr filter;  // innermost subject null; may be null
  Body body;
  ScopeTable scope;
  bool exported = false;
};

struct MacroBody {
  struct Parameter {
    std::uint32_t name;
    std::uint32_t slot = 0;
    ExprPtr fallback;  // may be null
  };
  std::uint32_t name = 0;
  bool anonymous = false;  // the body of a call block
  std::int32_t line = 0;
  std::vector<Parameter> parameters;
  Body body;
  ScopeTable scope;
  std::int32_t caller_slot = -1, kwargs_slot = -1, varargs_slot = -1;  // -1: not used
};

struct MacroStatement : Statement {
  explicit MacroStatement(std::int32_t at_line) : Statement(StatementKind::macro, at_line) {}
  Target target;
  MacroBody macro;
  bool exported = false;
};

struct CallBlock : Statement {
  explicit CallBlock(std::int32_t at_line) : Statement(StatementKind::call_block, at_line) {}
  MacroBody caller;
  ExprPtr call;  // null: {% generation %}, which prints its body
};

struct FilterBlock : Statement {
  explicit FilterBlock(std::int32_t at_line) : Statement(StatementKind::filter_block, at_line) {}
  ExprPtr filter;
  Body body;
  ScopeTable scope;
};

struct With : Statement {
  explicit With(std::int32_t at_line) : Statement(StatementKind::with, at_line) {}
  std::vector<Target> targets;
  std::vector<ExprPtr> values;  // evaluated outside
  Body body;
  ScopeTable scope;
};

struct ScopeStatement : Statement {  // {% block %}, rendered in place: it sees exported names only, unless scoped
  explicit ScopeStatement(std::int32_t at_line) : Statement(StatementKind::scope, at_line) {}
  Body body;
  ScopeTable scope;
  bool isolated = false;
};

struct Jump : Statement {  // break and continue
  using Statement::Statement;
};

}  // namespace qn::text::jinja
