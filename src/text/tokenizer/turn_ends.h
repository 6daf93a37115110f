// The tokens after which a reply is over.
#pragma once

#include <vector>

#include "text/tokenizer/vocab.h"

namespace qn::text {

// spec.eos and every special added token that some model family ends a turn with; sorted, each once.
std::vector<TokenId> find_turn_ends(const VocabSpec& spec);

}  // namespace qn::text
