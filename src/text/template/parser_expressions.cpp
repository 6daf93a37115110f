// Expressions, from the loosest binding to the tightest: if-else, or, and, not, comparisons, + -, ~, * / // %, **, unary, postfix.
#include <algorithm>

#include "text/template/filters.h"
#include "text/template/parser.h"

namespace qn::text::jinja {

Result<ExprPtr> Parser::parse_expression(InlineIf inline_if) {
  if (inline_if == InlineIf::refused) return parse_or();
  return parse_conditional();
}

Result<ExprPtr> Parser::parse_conditional() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr value, parse_or());
  while (true) {
    QN_TRY(const bool is_conditional, skip_word("if"));
    if (!is_conditional) return value;
    auto node = make<Conditional>(first_line);
    QN_TRY(node->test, parse_or());
    QN_TRY(const bool has_else, skip_word("else"));
    if (has_else) {
      const Nest nest(budget_);
      if (too_deep()) return nested_too_deep();
      QN_TRY(node->no, parse_conditional());
    }
    node->yes = std::move(value);
    const Expr *test = node->test.get(), *yes = node->yes.get(), *no = node->no.get();
    QN_TRY(value, finish(std::move(node), {test, yes, no}));
  }
}

Result<ExprPtr> Parser::parse_or() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr left, parse_and());
  while (true) {
    QN_TRY(const bool more, skip_word("or"));
    if (!more) return left;
    QN_TRY(ExprPtr right, parse_and());
    const Expr *l = left.get(), *r = right.get();
    QN_TRY(left, finish(make<Binary>(ExprKind::logic, first_line, Sign::logical_or, std::move(left), std::move(right)), {l, r}));
  }
}

Result<ExprPtr> Parser::parse_and() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr left, parse_not());
  while (true) {
    QN_TRY(const bool more, skip_word("and"));
    if (!more) return left;
    QN_TRY(ExprPtr right, parse_not());
    const Expr *l = left.get(), *r = right.get();
    QN_TRY(left, finish(make<Binary>(ExprKind::logic, first_line, Sign::logical_and, std::move(left), std::move(right)), {l, r}));
  }
}

Result<ExprPtr> Parser::parse_not() {
  if (!now().is_name("not")) return parse_compare();
  const Nest nest(budget_);
  if (too_deep()) return nested_too_deep();
  const std::int32_t at = line();
  QN_OK(lexer_.advance());
  QN_TRY(ExprPtr operand, parse_not());
  const Expr* child = operand.get();
  return finish(make<Unary>(at, Sign::logical_not, std::move(operand)), {child});
}

Result<ExprPtr> Parser::parse_compare() {
  struct Row {
    std::string_view sign;
    Comparison comparison;
  };
  constexpr Row rows[] = {{"==", Comparison::eq}, {"!=", Comparison::ne}, {"<", Comparison::lt},
                          {"<=", Comparison::le}, {">", Comparison::gt},  {">=", Comparison::ge}};
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr first, parse_sum());
  std::unique_ptr<Compare> node;
  while (true) {
    const Row* row = std::find_if(std::begin(rows), std::end(rows), [this](const Row& r) { return now().is_op(r.sign); });
    Comparison comparison = Comparison::in;
    if (row != std::end(rows)) {
      comparison = row->comparison;
    } else if (now().is_name("not")) {
      QN_TRY(const Token* ahead, lexer_.peek());
      if (!ahead->is_name("in")) break;
      QN_OK(lexer_.advance());
      comparison = Comparison::not_in;
    } else if (!now().is_name("in")) {
      break;
    }
    QN_OK(lexer_.advance());
    if (!node) {
      node = make<Compare>(first_line);
      QN_OK(measure(*node, {first.get()}));
      node->first = std::move(first);
    }
    QN_TRY(ExprPtr right, parse_sum());
    QN_OK(measure(*node, {right.get()}));
    node->rest.emplace_back(comparison, std::move(right));
  }
  if (!node) return first;
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::parse_sum() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr left, parse_concat());
  while (now().is_op("+") || now().is_op("-")) {
    const Sign sign = now().is_op("+") ? Sign::add : Sign::sub;
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr right, parse_concat());
    const Expr *l = left.get(), *r = right.get();
    QN_TRY(left, finish(make<Binary>(ExprKind::binary, first_line, sign, std::move(left), std::move(right)), {l, r}));
  }
  return left;
}

Result<ExprPtr> Parser::parse_concat() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr first, parse_product());
  if (!now().is_op("~")) return first;
  auto node = make<Concat>(first_line);
  QN_OK(measure(*node, {first.get()}));
  node->parts.push_back(std::move(first));
  while (now().is_op("~")) {
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr part, parse_product());
    QN_OK(measure(*node, {part.get()}));
    node->parts.push_back(std::move(part));
  }
  return ExprPtr(std::move(node));
}

Result<ExprPtr> Parser::parse_product() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr left, parse_power());
  while (true) {
    Sign sign;
    if (now().is_op("*")) {
      sign = Sign::mul;
    } else if (now().is_op("/")) {
      sign = Sign::div;
    } else if (now().is_op("//")) {
      sign = Sign::floordiv;
    } else if (now().is_op("%")) {
      sign = Sign::mod;
    } else {
      return left;
    }
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr right, parse_power());
    const Expr *l = left.get(), *r = right.get();
    QN_TRY(left, finish(make<Binary>(ExprKind::binary, first_line, sign, std::move(left), std::move(right)), {l, r}));
  }
}

// `2 ** 3 ** 2` is (2 ** 3) ** 2 here, unlike in Python.
Result<ExprPtr> Parser::parse_power() {
  const std::int32_t first_line = line();
  QN_TRY(ExprPtr left, parse_unary());
  while (now().is_op("**")) {
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr right, parse_unary());
    const Expr *l = left.get(), *r = right.get();
    QN_TRY(left, finish(make<Binary>(ExprKind::binary, first_line, Sign::pow, std::move(left), std::move(right)), {l, r}));
  }
  return left;
}

Result<ExprPtr> Parser::parse_unary(Filters filters) {
  const Nest nest(budget_);
  if (too_deep()) return nested_too_deep();
  const std::int32_t at = line();
  ExprPtr node;
  if (now().is_op("-") || now().is_op("+")) {
    const Sign sign = now().is_op("-") ? Sign::negate : Sign::plus;
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr operand, parse_unary(Filters::none));
    const Expr* child = operand.get();
    QN_TRY(node, finish(make<Unary>(at, sign, std::move(operand)), {child}));
  } else {
    QN_TRY(node, parse_primary());
  }
  QN_TRY(node, parse_postfix(std::move(node)));
  if (filters == Filters::none) return node;
  return parse_filters_and_tests(std::move(node));
}

Result<ExprPtr> Parser::parse_primary() {
  const std::int32_t at = line();
  switch (now().kind) {
    case TokenKind::name: return parse_name();
    case TokenKind::string: {
      std::string text;
      while (now().kind == TokenKind::string) {
        text += now().text;
        QN_OK(lexer_.advance());
      }
      return finish(make<Literal>(at, constant(std::move(text))), {});
    }
    case TokenKind::integer:
    case TokenKind::real: {
      const std::uint32_t which = now().kind == TokenKind::integer ? constant(Constant(now().integer)) : constant(Constant(now().real));
      QN_OK(lexer_.advance());
      return finish(make<Literal>(at, which), {});
    }
    default: break;
  }
  if (now().is_op("(")) {
    QN_OK(lexer_.advance());
    QN_TRY(ExprPtr node, parse_tuple(InlineIf::allowed, Parentheses::written));
    QN_OK(expect_op(")"));
    return node;
  }
  if (now().is_op("[")) return parse_list();
  if (now().is_op("{")) return parse_dict();
  return unexpected("an expression");
}

Result<ExprPtr> Parser::parse_name() {
  const std::int32_t at = line();
  const std::string word = now().text;
  QN_OK(lexer_.advance());
  if (word == "true" || word == "True") return finish(make<Literal>(at, constant(true)), {});
  if (word == "false" || word == "False") return finish(make<Literal>(at, constant(false)), {});
  if (word == "none" || word == "None") return finish(make<Literal>(at, constant(std::monostate{})), {});
  return finish(make<Name>(at, intern(word)), {});
}

Result<ExprPtr> Parser::parse_list() {
  auto node = make<ListExpr>(ExprKind::list, line());
  QN_OK(lexer_.advance());
  while (!now().is_op("]")) {
    if (!node->items.empty()) QN_OK(expect_op(","));
    if (now().is_op("]")) break;
    QN_TRY(ExprPtr item, parse_expression());
    QN_OK(measure(*node, {item.get()}));
    node->items.push_back(std::move(item));
  }
  QN_OK(expect_op("]"));
  return finish(std::move(node), {});
}

Result<ExprPtr> Parser::parse_dict() {
  auto node = make<DictExpr>(line());
  QN_OK(lexer_.advance());
  while (!now().is_op("}")) {
    if (!node->items.empty()) QN_OK(expect_op(","));
    if (now().is_op("}")) break;
    QN_TRY(ExprPtr key, parse_expression());
    QN_OK(expect_op(":"));
    QN_TRY(ExprPtr value, parse_expression());
    QN_OK(measure(*node, {key.get(), value.get()}));
    node->items.emplace_back(std::move(key), std::move(value));
  }
  QN_OK(expect_op("}"));
  return finish(std::move(node), {});
}

bool Parser::at_tuple_end(std::string_view end_word) const {
  if (now().kind == TokenKind::print_end || now().kind == TokenKind::block_end || now().is_op(")")) return true;
  return !end_word.empty() && now().is_name(end_word);
}

Result<ExprPtr> Parser::parse_tuple(InlineIf inline_if, Parentheses parentheses, std::string_view end_word) {
  std::vector<ExprPtr> items;
  bool is_tuple = false;
  const std::int32_t at = line();
  while (true) {
    if (!items.empty()) QN_OK(expect_op(","));
    if (at_tuple_end(end_word)) break;
    QN_TRY(ExprPtr item, parse_expression(inline_if));
    items.push_back(std::move(item));
    if (!now().is_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items.front());
    if (parentheses == Parentheses::none) return unexpected("an expression");
  }
  auto node = make<ListExpr>(ExprKind::tuple, at);
  for (const ExprPtr& item : items) QN_OK(measure(*node, {item.get()}));
  node->items = std::move(items);
  return finish(std::move(node), {});
}

Result<ExprPtr> Parser::parse_postfix(ExprPtr node) {
  while (true) {
    if (now().is_op(".") || now().is_op("[")) {
      QN_TRY(node, parse_subscript(std::move(node)));
    } else if (now().is_op("(")) {
      QN_TRY(node, parse_call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::parse_filters_and_tests(ExprPtr node) {
  while (true) {
    if (now().is_op("|")) {
      while (now().is_op("|")) {
        QN_OK(lexer_.advance());
        QN_TRY(node, parse_filter(std::move(node)));
      }
    } else if (now().is_name("is")) {
      QN_TRY(node, parse_test(std::move(node)));
    } else if (now().is_op("(")) {
      QN_TRY(node, parse_call(std::move(node)));
    } else {
      return node;
    }
  }
}

Result<ExprPtr> Parser::parse_subscript(ExprPtr node) {
  const std::int32_t at = line();
  const Expr* object = node.get();
  if (now().is_op(".")) {
    QN_OK(lexer_.advance());
    if (now().kind == TokenKind::name) {
      const std::uint32_t name = intern(now().text);
      QN_OK(lexer_.advance());
      return finish(make<Attribute>(at, std::move(node), name), {object});
    }
    if (now().kind != TokenKind::integer) return unexpected("a name or a number after '.'");
    ExprPtr key = make<Literal>(line(), constant(now().integer));
    QN_OK(lexer_.advance());
    return finish(make<Item>(at, std::move(node), std::move(key)), {object});
  }
  QN_OK(lexer_.advance());
  std::vector<ExprPtr> keys;
  while (!now().is_op("]")) {
    if (!keys.empty()) QN_OK(expect_op(","));
    QN_TRY(ExprPtr key, parse_subscribed());
    keys.push_back(std::move(key));
  }
  QN_OK(expect_op("]"));
  ExprPtr key;
  if (keys.size() == 1) {
    key = std::move(keys.front());
  } else {
    auto tuple = make<ListExpr>(ExprKind::tuple, at);
    for (const ExprPtr& item : keys) {
      if (item->kind == ExprKind::slice) return fail(Code::bad_input, "line {}: a slice among several keys; use one slice", at);
      QN_OK(measure(*tuple, {item.get()}));
    }
    tuple->items = std::move(keys);
    key = std::move(tuple);
  }
  const Expr* k = key.get();
  return finish(make<Item>(at, std::move(node), std::move(key)), {object, k});
}

Result<ExprPtr> Parser::parse_subscribed() {
  const std::int32_t at = line();
  ExprPtr first;
  if (!now().is_op(":")) {
    QN_TRY(first, parse_expression());
    if (!now().is_op(":")) return first;
  }
  QN_OK(lexer_.advance());
  auto node = make<Slice>(at);
  node->start = std::move(first);
  const auto at_end = [this] { return now().is_op("]") || now().is_op(","); };
  if (!now().is_op(":") && !at_end()) {
    QN_TRY(node->stop, parse_expression());
  }
  if (now().is_op(":")) {
    QN_OK(lexer_.advance());
    if (!at_end()) {
      QN_TRY(node->step, parse_expression());
    }
  }
  const Expr *start = node->start.get(), *stop = node->stop.get(), *step = node->step.get();
  return finish(std::move(node), {start, stop, step});
}

Status Parser::parse_arguments(Arguments& out) {
  const std::int32_t at = line();
  const auto misplaced = [at] {
    return fail(Code::bad_input, "line {}: arguments in the wrong order; plain ones come first, then named, then ** ones", at);
  };
  QN_OK(expect_op("("));
  bool first = true;
  while (!now().is_op(")")) {
    if (!first) {
      QN_OK(expect_op(","));
      if (now().is_op(")")) break;
    }
    first = false;
    if (now().is_op("*")) {
      if (out.star || out.star_star) return misplaced();
      QN_OK(lexer_.advance());
      QN_TRY(out.star, parse_expression());
    } else if (now().is_op("**")) {
      if (out.star_star) return misplaced();
      QN_OK(lexer_.advance());
      QN_TRY(out.star_star, parse_expression());
    } else {
      bool is_named = false;
      if (now().kind == TokenKind::name) {
        QN_TRY(const Token* ahead, lexer_.peek());
        is_named = ahead->is_op("=");
      }
      if (is_named) {
        if (out.star_star) return misplaced();
        const std::uint32_t name = intern(now().text);
        for (const auto& [other, value] : out.named)
          if (other == name) return fail(Code::bad_input, "line {}: argument {} is given twice; remove one", at, quoted(out_.names[name]));
        QN_OK(lexer_.advance());
        QN_OK(lexer_.advance());
        QN_TRY(ExprPtr value, parse_expression());
        out.named.emplace_back(name, std::move(value));
      } else {
        if (out.star || out.star_star || !out.named.empty()) return misplaced();
        QN_TRY(ExprPtr value, parse_expression());
        out.positional.push_back(std::move(value));
      }
    }
  }
  return expect_op(")");
}

Result<ExprPtr> Parser::parse_call(ExprPtr callee) {
  auto node = make<Call>(line());
  QN_OK(parse_arguments(node->arguments));
  const Expr* subject = callee.get();
  node->callee = std::move(callee);
  const Arguments& arguments = node->arguments;
  return finish_arguments(std::move(node), subject, arguments);
}

Result<std::uint32_t> Parser::parse_dotted_name() {
  if (now().kind != TokenKind::name) return unexpected("a name");
  std::string name = now().text;
  QN_OK(lexer_.advance());
  while (now().is_op(".")) {
    QN_OK(lexer_.advance());
    if (now().kind != TokenKind::name) return unexpected("a name after '.'");
    name += '.' + now().text;
    QN_OK(lexer_.advance());
  }
  return intern(name);
}

Result<ExprPtr> Parser::parse_filter(ExprPtr subject) {
  auto node = make<FilterExpr>(line());
  QN_TRY(node->name, parse_dotted_name());
  node->filter = find_filter(out_.names[node->name]);
  if (now().is_op("(")) QN_OK(parse_arguments(node->arguments));
  const Expr* child = subject.get();
  node->subject = std::move(subject);
  const Arguments& arguments = node->arguments;
  return finish_arguments(std::move(node), child, arguments);
}

Result<ExprPtr> Parser::parse_test(ExprPtr subject) {
  auto node = make<TestExpr>(line());
  QN_OK(lexer_.advance());
  QN_TRY(const bool negated, skip_word("not"));
  QN_TRY(node->name, parse_dotted_name());
  node->test = find_test(out_.names[node->name]);
  const bool starts_operand = now().kind == TokenKind::name || now().kind == TokenKind::string || now().kind == TokenKind::integer ||
                              now().kind == TokenKind::real || now().is_op("[") || now().is_op("{");
  if (now().is_op("(")) {
    QN_OK(parse_arguments(node->arguments));
  } else if (starts_operand && !now().is_name("else") && !now().is_name("or") && !now().is_name("and")) {
    if (now().is_name("is")) return fail(Code::bad_input, "line {}: tests chained with 'is'; join them with 'and'", line());
    QN_TRY(ExprPtr operand, parse_primary());
    QN_TRY(operand, parse_postfix(std::move(operand)));
    node->arguments.positional.push_back(std::move(operand));
  }
  const std::int32_t at = node->line;
  const Expr* child = subject.get();
  node->subject = std::move(subject);
  const Arguments& arguments = node->arguments;
  QN_TRY(ExprPtr test, finish_arguments(std::move(node), child, arguments));
  if (!negated) return test;
  const Expr* t = test.get();
  return finish(make<Unary>(at, Sign::logical_not, std::move(test)), {t});
}

}  // namespace qn::text::jinja
