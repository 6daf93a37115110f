// Tokens to a tree. Precedence, odd corners included, is that of the source below.
//   source   Jinja 3.1, parser; the loopcontrols extension; the `generation` tag of Hugging Face Transformers
// Invariant: every recursive function goes through a Nest, every node through make(), which counts and measures.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/template/ast.h"
#include "text/template/budget.h"
#include "text/template/lexer.h"

namespace qn::text::jinja {

// What the parser makes; becomes a Template::Program.
struct Parsed {
  std::vector<std::string> names;
  std::vector<Constant> constants;
  Body body;
};

class Parser {
 public:
  Parser(std::string_view source, const TemplateLimits& limits);
  Result<Parsed> parse();

 private:
  using Words = std::vector<std::string_view>;  // tags that end a body
  enum class InlineIf { allowed, refused };

  // statements
  Result<Body> parse_body(const Words& until);
  Result<Body> parse_block_body(const Words& until);  // from the end of the opening tag
  Status parse_statement(Body& out);
  Status parse_for(Body& out);
  Status parse_if(Body& out);
  Status parse_set(Body& out);
  Status parse_macro(Body& out);
  Status parse_call_block(Body& out);
  Status parse_generation(Body& out);
  Status parse_filter_block(Body& out);
  Status parse_with(Body& out);
  Status parse_print(Body& out);
  Status parse_block(Body& out);
  Status parse_signature(MacroBody& macro);
  enum class NamespaceTarget { allowed, refused };
  Result<Target> parse_target(NamespaceTarget namespaces, std::string_view end_word = {});
  Result<Target> parse_target_part(NamespaceTarget namespaces);
  Result<Target> parse_name_target();

  // expressions
  Result<ExprPtr> parse_expression(InlineIf inline_if = InlineIf::allowed);
  Result<ExprPtr> parse_conditional();
  Result<ExprPtr> parse_or();
  Result<ExprPtr> parse_and();
  Result<ExprPtr> parse_not();
  Result<ExprPtr> parse_compare();
  Result<ExprPtr> parse_sum();
  Result<ExprPtr> parse_concat();
  Result<ExprPtr> parse_product();
  Result<ExprPtr> parse_power();
  enum class Filters { follow, none };
  Result<ExprPtr> parse_unary(Filters filters = Filters::follow);
  Result<ExprPtr> parse_primary();
  Result<ExprPtr> parse_name();
  Result<ExprPtr> parse_list();
  Result<ExprPtr> parse_dict();
  enum class Parentheses { written, none };
  Result<ExprPtr> parse_tuple(InlineIf inline_if, Parentheses parentheses, std::string_view end_word = {});
  Result<ExprPtr> parse_postfix(ExprPtr node);
  Result<ExprPtr> parse_filters_and_tests(ExprPtr node);
  Result<ExprPtr> parse_subscript(ExprPtr node);
  Result<ExprPtr> parse_subscribed();
  Result<ExprPtr> parse_call(ExprPtr callee);
  Result<ExprPtr> parse_filter(ExprPtr subject);  // current: the name
  Result<ExprPtr> parse_test(ExprPtr subject);    // current: 'is'
  Status parse_arguments(Arguments& out);
  Result<std::uint32_t> parse_dotted_name();

  // helpers
  bool at_tuple_end(std::string_view end_word) const;
  Status expect_op(std::string_view sign);
  Status expect_kind(TokenKind kind, std::string_view what);
  Result<std::uint32_t> expect_name();
  Result<bool> skip_op(std::string_view sign);
  Result<bool> skip_word(std::string_view word);
  std::uint32_t intern(std::string_view name);
  std::uint32_t constant(Constant value);
  const Token& now() const { return lexer_.current(); }
  bool too_deep() const { return budget_.level > budget_.limits().depth + 1; }  // the innermost value is no nesting
  std::int32_t line() const { return lexer_.current().line; }
  tl::unexpected<Error> unexpected(std::string_view wanted) const;

  Status count_node();
  template <class T, class... A>
  std::unique_ptr<T> make(A&&... a) {
    ++nodes_;
    return std::make_unique<T>(std::forward<A>(a)...);
  }
  Status measure(Expr& node, std::initializer_list<const Expr*> children);
  Result<ExprPtr> finish(ExprPtr node, std::initializer_list<const Expr*> children);
  Result<ExprPtr> finish_arguments(ExprPtr node, const Expr* subject, const Arguments& arguments);

  std::string source_;
  Lexer lexer_;
  Budget budget_;
  Parsed out_;
  std::unordered_map<std::string, std::uint32_t> name_ids_;
  std::unordered_set<std::uint32_t> blocks_;  // names of {% block %}
  std::size_t nodes_ = 0;
  int bodies_ = 0;  // open statement bodies
};

}  // namespace qn::text::jinja
