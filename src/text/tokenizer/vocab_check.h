// What Tokenizer::make demands of a vocabulary before it builds on it.
#pragma once

#include "base/result.h"
#include "text/tokenizer/vocab.h"

namespace qn::text {

//   errors   bad_input: the table, the place in it, and what is wrong there; too_large: more tokens than a model can have
Status check_vocab(const VocabSpec& spec);

}  // namespace qn::text
