// What a builder has been told, before it becomes automata: an arena of expressions, each referring to earlier ones or, by `rule`, to any.
#pragma once

#include <string>
#include <vector>

#include "text/grammar/grammar.h"

namespace qn::text::grammar {

using ExpressionId = std::uint32_t;

inline constexpr int unlimited = -1;
inline constexpr unsigned char special_mark = 0xFF;  // stands before a control token's text; no UTF-8 has it, so nothing else can match one

enum class Kind : std::uint8_t {
  literal,     // texts[text]
  characters,  // one of classes[text]
  sequence,    // all parts, in order
  choice,      // one of the parts
  repeat,      // parts[0], min to max times
  until,       // stops[text]
  declared,    // definition[text], once defined
};

struct Expression {
  Kind kind;
  std::uint32_t text = 0;
  std::vector<ExpressionId> parts;
  int min = 0, max = 0;
  int depth = 1;            // of nesting, calls not counted
  std::uint64_t steps = 0;  // how many automaton states it takes about, were it written out; saturates
  std::uint32_t uses = 0;   // by how many places
};

struct Declared {
  std::string name;
  ExpressionId definition = 0;
  bool defined = false;
};

struct ExpressionArena {
  std::vector<Expression> expressions;
  std::vector<std::string> texts;
  std::vector<std::vector<CharRange>> classes;
  std::vector<std::vector<std::string>> stops;
  std::vector<Declared> declared;
};

}  // namespace qn::text::grammar
