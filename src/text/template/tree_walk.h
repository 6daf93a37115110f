// Calls a function on every direct child expression of an expression.
#pragma once

#include "text/template/ast.h"

namespace qn::text::jinja {

template <class F>
void for_each_argument(Arguments& arguments, F&& f) {
  for (ExprPtr& argument : arguments.positional) f(*argument);
  for (auto& [name, argument] : arguments.named) f(*argument);
  if (arguments.star) f(*arguments.star);
  if (arguments.star_star) f(*arguments.star_star);
}

template <class F>
void for_each_child(Expr& node, F&& f) {
  const auto maybe = [&f](const ExprPtr& child) {
    if (child) f(*child);
  };
  switch (node.kind) {
    case ExprKind::literal:
    case ExprKind::name: return;
    case ExprKind::list:
    case ExprKind::tuple:
      for (ExprPtr& item : static_cast<ListExpr&>(node).items) f(*item);
      return;
    case ExprKind::dict:
      for (auto& [key, value] : static_cast<DictExpr&>(node).items) f(*key), f(*value);
      return;
    case ExprKind::unary: return f(*static_cast<Unary&>(node).operand);
    case ExprKind::binary:
    case ExprKind::logic: f(*static_cast<Binary&>(node).left), f(*static_cast<Binary&>(node).right); return;
    case ExprKind::compare:
      f(*static_cast<Compare&>(node).first);
      for (auto& [comparison, right] : static_cast<Compare&>(node).rest) f(*right);
      return;
    case ExprKind::concat:
      for (ExprPtr& part : static_cast<Concat&>(node).parts) f(*part);
      return;
    case ExprKind::conditional: {
      auto& conditional = static_cast<Conditional&>(node);
      f(*conditional.test), f(*conditional.yes), maybe(conditional.no);
      return;
    }
    case ExprKind::attribute: return f(*static_cast<Attribute&>(node).object);
    case ExprKind::item: f(*static_cast<Item&>(node).object), f(*static_cast<Item&>(node).key); return;
    case ExprKind::slice: {
      auto& slice = static_cast<Slice&>(node);
      maybe(slice.start), maybe(slice.stop), maybe(slice.step);
      return;
    }
    case ExprKind::call: f(*static_cast<Call&>(node).callee), for_each_argument(static_cast<Call&>(node).arguments, f); return;
    case ExprKind::filter:
      maybe(static_cast<FilterExpr&>(node).subject), for_each_argument(static_cast<FilterExpr&>(node).arguments, f);
      return;
    case ExprKind::test: f(*static_cast<TestExpr&>(node).subject), for_each_argument(static_cast<TestExpr&>(node).arguments, f); return;
  }
}

}  // namespace qn::text::jinja
