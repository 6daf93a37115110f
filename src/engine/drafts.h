// Drafts without a second model: what followed the last time the text went like this.
//   source   prompt lookup decoding, Saxena 2023; "ngram" speculation in vLLM and llama.cpp
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"

namespace qn::engine {

// Guesses at the tokens that follow `context`: the longest run of 2 to 4 last tokens that stands in it earlier too, at its latest such
// place, and what came after it there, up to `count` tokens. Empty where there is no such run. Linear in the context.
std::vector<TokenId> look_up_drafts(std::span<const TokenId> context, int count);

}  // namespace qn::engine
