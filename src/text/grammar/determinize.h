// An Nfa as nodes of an automaton: deterministic where that is cheap, otherwise with several edges for one byte.
#pragma once

#include "text/grammar/automaton.h"
#include "text/grammar/deadline.h"
#include "text/grammar/grammar.h"
#include "text/grammar/nfa.h"

namespace qn::text::grammar {

//   nfa      of the rule with index `rule`; calls of itself before any byte are taken out of it here
//   errors   too_large: nodes, or time
Status append_rule(Nfa nfa, std::uint32_t rule, bool loop, const GrammarLimits& limits, Deadline& deadline, Automaton& automaton);

}  // namespace qn::text::grammar
