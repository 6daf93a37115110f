// Token masks, of nodes and of states, out of the vocabulary's cache or computed and put there.
#pragma once

#include "text/grammar/mask_cache.h"
#include "text/grammar/state_table.h"
#include "text/grammar/token_vocabulary.h"

namespace qn::text::grammar {

//   least   turns that the loop, if node begins one, must still take; the mask may be one that holds for fewer, too
SharedNodeMask node_mask_of(const TokenVocabulary& vocabulary, const Automaton& automaton, std::uint32_t node, std::uint32_t least);

// The union over the state's items: what each node accepts by itself, and what its callers make of the tokens that outlast its rule.
SharedStateMask state_mask_of(const TokenVocabulary& vocabulary, const Automaton& automaton, StateTable& table, StateIndex state);

}  // namespace qn::text::grammar
