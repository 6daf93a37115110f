// The tokens of a tokenizer as a trie of their bytes, and the cache of token masks: made once for a tokenizer, shared by all replies.
#pragma once

#include <cstdint>
#include <memory>

#include "text/grammar/grammar.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::text {

namespace grammar {
struct TokenTrie;
class MaskCache;
}  // namespace grammar

class TokenVocabulary {
 public:
  //   tokenizer     outlives the vocabulary
  //   vocab_size    rows of the model's output, at least the tokenizer's size; ids past the tokenizer's are never allowed
  //   mask_bytes    bound on the masks that are kept, over all grammars; least recently used go first
  static std::shared_ptr<const TokenVocabulary> make(const Tokenizer& tokenizer, int vocab_size,
                                                     std::size_t mask_bytes = std::size_t{64} << 20);
  ~TokenVocabulary();
  TokenVocabulary(const TokenVocabulary&) = delete;
  TokenVocabulary& operator=(const TokenVocabulary&) = delete;

  int size() const { return vocab_size_; }
  std::size_t words() const { return (static_cast<std::size_t>(vocab_size_) + 63) / 64; }  // of a mask
  const Tokenizer& tokenizer() const { return tokenizer_; }

  // Computes the masks that replies under this grammar will need most, so that the engine's thread finds them. For a worker thread, after
  // finish(); stops at the deadline, and whatever is missing is computed when it is needed.
  void prepare(const Grammar& grammar, std::chrono::milliseconds at_most) const;

  const grammar::TokenTrie& trie() const { return *trie_; }
  grammar::MaskCache& masks() const { return *masks_; }

 private:
  TokenVocabulary(const Tokenizer& tokenizer, int vocab_size, std::size_t mask_bytes);
  const Tokenizer& tokenizer_;
  int vocab_size_;
  std::unique_ptr<const grammar::TokenTrie> trie_;
  std::unique_ptr<grammar::MaskCache> masks_;  // locks itself
};

using SharedVocabulary = std::shared_ptr<const TokenVocabulary>;  // by every reply of a model

}  // namespace qn::text
