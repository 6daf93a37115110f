// Template source to tokens, with the white-space rules of trim_blocks and lstrip_blocks applied.
//   source   Jinja 3.1, lexer; line statements are off
// Invariant: tokens are made one at a time, so that a megabyte of source never becomes a hundred of tokens.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/template/value.h"

namespace qn::text::jinja {

enum class TokenKind : std::uint8_t {
  end,
  data,
  print_begin,
  print_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  op,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::int32_t line = 1;
  std::string text = {};  // of a name, an operator, a string (unescaped) or data
  Int integer = 0;
  double real = 0;

  bool is_name(std::string_view word) const { return kind == TokenKind::name && text == word; }
  bool is_op(std::string_view sign) const { return kind == TokenKind::op && text == sign; }
};

std::string describe(const Token& token);  // for a message

class Lexer {
 public:
  // source   normalized: "\n" line ends; must outlive the lexer
  explicit Lexer(std::string_view source) : source_(source) {}

  const Token& current() const { return current_; }
  Status advance();             // current() becomes the next token
  Result<const Token*> peek();  // the one after current()
  static std::string normalize(std::string_view source);

 private:
  enum class State { root, print, block };
  Status read(Token& out);
  Status read_root(Token& out, bool& made);
  Status read_tag(Token& out, bool& made);
  Status read_string(Token& out);
  Status read_number(Token& out);
  Status read_operator(Token& out);
  Status skip_comment();
  Status read_raw(Token& out, std::size_t body_begin);
  bool close_tag(Token& out);
  void consume(std::size_t bytes);  // counts lines
  std::string_view rest() const { return source_.substr(at_); }

  std::string_view source_;
  std::size_t at_ = 0;
  std::int32_t line_ = 1;
  State state_ = State::root;
  bool line_starting_ = true;
  std::vector<char> brackets_;  // closers that are owed
  Token current_, ahead_;
  bool has_ahead_ = false;
};

}  // namespace qn::text::jinja
