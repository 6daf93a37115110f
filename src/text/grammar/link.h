// Expressions become one automaton.
#pragma once

#include "text/grammar/automaton.h"
#include "text/grammar/deadline.h"
#include "text/grammar/expression.h"

namespace qn::text::grammar {

//   errors   bad_input: nothing matches, left recursion through several rules; too_large: states, time
Result<std::unique_ptr<const Automaton>> link(const ExpressionArena& arena, ExpressionId root, const GrammarLimits& limits,
                                              Deadline& deadline);

}  // namespace qn::text::grammar
