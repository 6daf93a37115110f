// Several regular expressions that must all hold for one text, and bounds on its length: their automata run side by side.
#pragma once

#include <span>

#include "text/grammar/regex.h"

namespace qn::text::grammar {

struct Lengths {  // in characters
  int min = 0;
  std::optional<int> max;
};

//   regexes  each may hold anywhere in the text; ^ and $ hold its ends, wherever they stand
//   after    follows the text, and is not part of it
//   errors   too_large: the states of all together
Result<RuleId> write_product(GrammarBuilder& builder, std::span<const Regex> regexes, const Lengths& lengths, RuleId after,
                             const WriteCharacters& characters, const std::string& where);

}  // namespace qn::text::grammar
