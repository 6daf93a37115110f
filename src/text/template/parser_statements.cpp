// Statements, and what both halves of the parser share.
#include <algorithm>

#include "text/template/filters.h"
#include "text/template/parser.h"

namespace qn::text::jinja {
namespace {
// A node takes up to 200 bytes with what hangs on it: this many stay below 50 MiB. Templates of models have some thousands.
constexpr std::size_t max_nodes = 250'000;
}  // namespace

Parser::Parser(std::string_view source, const TemplateLimits& limits)
    : source_(Lexer::normalize(source)), lexer_(source_), budget_(limits) {}

Result<Parsed> Parser::parse() {
  QN_OK(lexer_.advance());
  QN_TRY(out_.body, parse_body({}));
  return std::move(out_);
}

tl::unexpected<Error> Parser::unexpected(std::string_view wanted) const {
  return fail(Code::bad_input, "line {}: expected {}, found {}", line(), wanted, describe(now()));
}

Status Parser::expect_op(std::string_view sign) {
  if (!now().is_op(sign)) return unexpected(fmt::format("'{}'", sign));
  return lexer_.advance();
}

Status Parser::expect_kind(TokenKind kind, std::string_view what) {
  if (now().kind != kind) return unexpected(what);
  return lexer_.advance();
}

Result<std::uint32_t> Parser::expect_name() {
  if (now().kind != TokenKind::name) return unexpected("a name");
  const std::uint32_t name = intern(now().text);
  QN_OK(lexer_.advance());
  return name;
}

Result<bool> Parser::skip_op(std::string_view sign) {
  if (!now().is_op(sign)) return false;
  QN_OK(lexer_.advance());
  return true;
}

Result<bool> Parser::skip_word(std::string_view word) {
  if (!now().is_name(word)) return false;
  QN_OK(lexer_.advance());
  return true;
}

std::uint32_t Parser::intern(std::string_view name) {
  const auto [place, is_new] = name_ids_.try_emplace(std::string(name), static_cast<std::uint32_t>(out_.names.size()));
  if (is_new) out_.names.emplace_back(name);
  return place->second;
}

std::uint32_t Parser::constant(Constant value) {
  out_.constants.push_back(std::move(value));
  return static_cast<std::uint32_t>(out_.constants.size() - 1);
}

Status Parser::count_node() {
  if (nodes_ > max_nodes)
    return fail(Code::too_large, "line {}: more than {} expressions and statements; use a smaller template", line(), max_nodes);
  return budget_.work(1);
}

Status Parser::measure(Expr& node, std::initializer_list<const Expr*> children) {
  for (const Expr* child : children)
    if (child != nullptr) node.height = std::max<std::uint16_t>(node.height, static_cast<std::uint16_t>(child->height + 1));
  if (node.height > budget_.max_level() / 2) return nested_too_deep();
  return count_node();
}

Result<ExprPtr> Parser::finish(ExprPtr node, std::initializer_list<const Expr*> children) {
  QN_OK(measure(*node, children));
  return node;
}

Result<ExprPtr> Parser::finish_arguments(ExprPtr node, const Expr* subject, const Arguments& arguments) {
  for (const ExprPtr& argument : arguments.positional) QN_OK(measure(*node, {argument.get()}));
  for (const auto& [name, argument] : arguments.named) QN_OK(measure(*node, {argument.get()}));
  const Expr *star = arguments.star.get(), *star_star = arguments.star_star.get();
  return finish(std::move(node), {subject, star, star_star});
}

Result<Body> Parser::parse_body(const Words& until) {
  if (++bodies_ > budget_.limits().depth) return nested_too_deep();
  Body body;
  Output* output = nullptr;  // the statement that text and {{ }} are added to
  const auto piece = [&]() -> Output::Piece& {
    if (output == nullptr) {
      auto statement = make<Output>(line());
      output = statement.get();
      body.push_back(std::move(statement));
    }
    ++nodes_;
    return output->pieces.emplace_back();
  };
  while (now().kind != TokenKind::end) {
    QN_OK(count_node());
    if (now().kind == TokenKind::data) {
      if (!now().text.empty()) piece().text = now().text;
      QN_OK(lexer_.advance());
    } else if (now().kind == TokenKind::print_begin) {
      QN_OK(lexer_.advance());
      QN_TRY(ExprPtr expression, parse_tuple(InlineIf::allowed, Parentheses::none));
      piece().expression = std::move(expression);
      QN_OK(expect_kind(TokenKind::print_end, "'}}'"));
    } else {
      output = nullptr;
      QN_OK(expect_kind(TokenKind::block_begin, "'{%'"));
      const bool ends = now().kind == TokenKind::name && std::find(until.begin(), until.end(), now().text) != until.end();
      if (ends) {
        --bodies_;
        return body;
      }
      QN_OK(parse_statement(body));
      QN_OK(expect_kind(TokenKind::block_end, "'%}'"));
    }
  }
  if (!until.empty()) {
    std::string wanted;
    for (const std::string_view word : until) wanted += fmt::format("{}{{% {} %}}", wanted.empty() ? "" : " or ", word);
    return fail(Code::bad_input, "line {}: the template ends where {} is expected; add it", line(), wanted);
  }
  --bodies_;
  return body;
}

Result<Body> Parser::parse_block_body(const Words& until) {
  QN_TRY([[maybe_unused]] const bool colon, skip_op(":"));
  QN_OK(expect_kind(TokenKind::block_end, "'%}'"));
  return parse_body(until);
}

Status Parser::parse_statement(Body& out) {
  struct Row {
    std::string_view tag;
    Status (Parser::*parse)(Body&);
  };
  static constexpr Row rows[] = {
      {"for", &Parser::parse_for},         {"if", &Parser::parse_if},
      {"set", &Parser::parse_set},         {"macro", &Parser::parse_macro},
      {"call", &Parser::parse_call_block}, {"filter", &Parser::parse_filter_block},
      {"with", &Parser::parse_with},       {"print", &Parser::parse_print},
      {"block", &Parser::parse_block},     {"generation", &Parser::parse_generation},
  };
  if (now().kind != TokenKind::name) return unexpected("the name of a tag");
  const std::string tag = now().text;
  for (const Row& row : rows)
    if (row.tag == tag) return (this->*row.parse)(out);
  if (tag == "break" || tag == "continue") {
    out.push_back(make<Jump>(tag == "break" ? StatementKind::break_ : StatementKind::continue_, line()));
    return lexer_.advance();
  }
  for (const std::string_view other : {"extends", "include", "import", "from", "autoescape"})
    if (tag == other)
      return fail(Code::unsupported, "line {}: {{% {} %}} is not offered to chat templates; write its content in place", line(), tag);
  return fail(Code::bad_input, "line {}: unknown or misplaced tag {}; check how the blocks nest", line(), quoted(tag));
}

Result<Target> Parser::parse_name_target() {
  Target target;
  target.line = line();
  QN_TRY(target.name, expect_name());
  return target;
}

Result<Target> Parser::parse_target_part(NamespaceTarget namespaces) {
  const Nest nest(budget_);
  if (too_deep()) return nested_too_deep();
  if (now().is_op("(")) {
    QN_OK(lexer_.advance());
    QN_TRY(Target inner, parse_target(NamespaceTarget::refused));
    QN_OK(expect_op(")"));
    return inner;
  }
  if (now().kind != TokenKind::name)
    return fail(Code::bad_input, "line {}: cannot assign to {}; assign to a name", line(), describe(now()));
  for (const std::string_view word : {"true", "false", "none", "True", "False", "None"})
    if (now().text == word) return fail(Code::bad_input, "line {}: cannot assign to {}; assign to a name", line(), describe(now()));
  QN_TRY(Target target, parse_name_target());
  if (namespaces == NamespaceTarget::allowed && now().is_op(".")) {
    QN_OK(lexer_.advance());
    target.kind = Target::Kind::attribute;
    QN_TRY(target.attribute, expect_name());
  }
  return target;
}

Result<Target> Parser::parse_target(NamespaceTarget namespaces, std::string_view end_word) {
  Target tuple;
  tuple.kind = Target::Kind::tuple;
  tuple.line = line();
  bool is_tuple = false;
  while (true) {
    if (!tuple.items.empty()) QN_OK(expect_op(","));
    if (at_tuple_end(end_word)) break;
    QN_OK(count_node());
    ++nodes_;
    QN_TRY(Target item, parse_target_part(namespaces));
    tuple.items.push_back(std::move(item));
    if (!now().is_op(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && tuple.items.empty()) return unexpected("a name to assign to");
  if (!is_tuple) return Target(std::move(tuple.items.front()));
  return tuple;
}

Status Parser::parse_for(Body& out) {
  auto node = make<For>(line());
  QN_OK(lexer_.advance());
  QN_TRY(node->target, parse_target(NamespaceTarget::refused, "in"));
  if (!now().is_name("in")) return unexpected("'in'");
  QN_OK(lexer_.advance());
  QN_TRY(node->iterable, parse_tuple(InlineIf::refused, Parentheses::none, "recursive"));
  QN_TRY(const bool has_test, skip_word("if"));
  if (has_test) {
    QN_TRY(node->test, parse_expression());
    node->test_target = node->target;
  }
  QN_TRY(node->recursive, skip_word("recursive"));
  QN_TRY(node->body, parse_block_body({"endfor", "else"}));
  const bool has_else = now().is_name("else");
  QN_OK(lexer_.advance());
  if (has_else) {
    QN_TRY(node->otherwise, parse_block_body({"endfor"}));
    QN_OK(lexer_.advance());
  }
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_if(Body& out) {
  auto node = make<If>(line());
  QN_OK(lexer_.advance());
  while (true) {
    If::Branch& branch = node->branches.emplace_back();
    ++nodes_;
    QN_TRY(branch.test, parse_tuple(InlineIf::refused, Parentheses::none));
    QN_TRY(branch.body, parse_block_body({"elif", "else", "endif"}));
    const bool is_elif = now().is_name("elif"), is_else = now().is_name("else");
    QN_OK(lexer_.advance());
    if (is_elif) continue;
    if (is_else) {
      If::Branch& otherwise = node->branches.emplace_back();
      QN_TRY(otherwise.body, parse_block_body({"endif"}));
      QN_OK(lexer_.advance());
    }
    break;
  }
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_set(Body& out) {
  const std::int32_t at = line();
  QN_OK(lexer_.advance());
  QN_TRY(Target target, parse_target(NamespaceTarget::allowed));
  QN_TRY(const bool has_value, skip_op("="));
  if (has_value) {
    auto node = make<Assign>(at);
    node->target = std::move(target);
    QN_TRY(node->value, parse_tuple(InlineIf::allowed, Parentheses::none));
    out.push_back(std::move(node));
    return {};
  }
  auto node = make<AssignBlock>(at);
  node->target = std::move(target);
  while (now().is_op("|")) {
    QN_OK(lexer_.advance());
    QN_TRY(node->filter, parse_filter(std::move(node->filter)));
  }
  QN_TRY(node->body, parse_block_body({"endset"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_signature(MacroBody& macro) {
  QN_OK(expect_op("("));
  bool has_fallback = false;
  while (!now().is_op(")")) {
    if (!macro.parameters.empty()) QN_OK(expect_op(","));
    QN_OK(count_node());
    ++nodes_;
    MacroBody::Parameter& parameter = macro.parameters.emplace_back();
    QN_TRY(parameter.name, expect_name());
    for (const MacroBody::Parameter& other : macro.parameters)
      if (&other != &parameter && other.name == parameter.name)
        return fail(Code::bad_input, "line {}: parameter {} is there twice; rename one", line(), quoted(out_.names[other.name]));
    QN_TRY(const bool given, skip_op("="));
    if (given) {
      QN_TRY(parameter.fallback, parse_expression());
      has_fallback = true;
    } else if (has_fallback) {
      return fail(Code::bad_input, "line {}: a parameter without a default follows one with; reorder them", line());
    }
  }
  return expect_op(")");
}

Status Parser::parse_macro(Body& out) {
  auto node = make<MacroStatement>(line());
  QN_OK(lexer_.advance());
  QN_TRY(node->target, parse_name_target());
  node->macro.name = node->target.name;
  node->macro.line = node->line;
  QN_OK(parse_signature(node->macro));
  QN_TRY(node->macro.body, parse_block_body({"endmacro"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_call_block(Body& out) {
  auto node = make<CallBlock>(line());
  node->caller.anonymous = true;
  node->caller.line = node->line;
  node->caller.name = intern("caller");
  QN_OK(lexer_.advance());
  if (now().is_op("(")) QN_OK(parse_signature(node->caller));
  QN_TRY(node->call, parse_expression());
  if (node->call->kind != ExprKind::call)
    return fail(Code::bad_input, "line {}: {{% call %}} needs a call; write the macro's name and parentheses", node->line);
  QN_TRY(node->caller.body, parse_block_body({"endcall"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_generation(Body& out) {
  auto node = make<CallBlock>(line());
  node->caller.anonymous = true;
  node->caller.line = node->line;
  node->caller.name = intern("caller");
  QN_OK(lexer_.advance());
  QN_TRY(node->caller.body, parse_block_body({"endgeneration"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_filter_block(Body& out) {
  auto node = make<FilterBlock>(line());
  QN_OK(lexer_.advance());
  QN_TRY(node->filter, parse_filter(nullptr));
  while (now().is_op("|")) {
    QN_OK(lexer_.advance());
    QN_TRY(node->filter, parse_filter(std::move(node->filter)));
  }
  QN_TRY(node->body, parse_block_body({"endfilter"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_with(Body& out) {
  auto node = make<With>(line());
  QN_OK(lexer_.advance());
  while (now().kind != TokenKind::block_end) {
    if (!node->targets.empty()) QN_OK(expect_op(","));
    QN_TRY(Target target, parse_target(NamespaceTarget::refused));
    QN_OK(expect_op("="));
    QN_TRY(ExprPtr value, parse_expression());
    node->targets.push_back(std::move(target));
    node->values.push_back(std::move(value));
    if (now().kind == TokenKind::end) return unexpected("'%}'");
  }
  QN_TRY(node->body, parse_block_body({"endwith"}));
  QN_OK(lexer_.advance());
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_print(Body& out) {
  auto node = make<Output>(line());
  QN_OK(lexer_.advance());
  while (now().kind != TokenKind::block_end) {
    if (!node->pieces.empty()) QN_OK(expect_op(","));
    QN_TRY(ExprPtr expression, parse_expression());
    node->pieces.emplace_back().expression = std::move(expression);
  }
  out.push_back(std::move(node));
  return {};
}

Status Parser::parse_block(Body& out) {
  auto node = make<ScopeStatement>(line());
  QN_OK(lexer_.advance());
  QN_TRY(const std::uint32_t name, expect_name());
  if (!blocks_.insert(name).second)
    return fail(Code::bad_input, "line {}: block {} is defined twice; rename one", node->line, quoted(out_.names[name]));
  QN_TRY(const bool scoped, skip_word("scoped"));
  node->isolated = !scoped;
  if (now().is_name("required"))
    return fail(Code::unsupported, "line {}: a required block needs a template that extends this one; write its content in place", line());
  QN_TRY(node->body, parse_block_body({"endblock"}));
  QN_OK(lexer_.advance());
  QN_TRY([[maybe_unused]] const bool named, skip_word(out_.names[name]));
  out.push_back(std::move(node));
  return {};
}

}  // namespace qn::text::jinja
