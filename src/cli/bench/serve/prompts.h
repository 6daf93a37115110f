// Prompts of a wanted length for a server whose tokenizer is not known: common words in an order drawn from a seed. How many tokens a word
// makes is measured by asking the server twice (calibrate() in load.h).
#pragma once

#include <cstdint>
#include <string>

namespace qn::cli {

// tokens ≈ fixed + per_word · words; `fixed` is what the chat template adds.
struct TokenRate {
  double fixed = 0, per_word = 1;
  int words_for(int tokens) const;  // at least 1
};

// The same (seed, stream) gives the same words; different streams share no beginning.
std::string random_words(int count, std::uint64_t seed, std::uint64_t stream);

}  // namespace qn::cli
