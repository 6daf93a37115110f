// Where one reply stands in its grammar: which tokens may come next, and which must. One for each sequence; one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/grammar.h"
#include "text/grammar/token_vocabulary.h"

namespace qn::text {

class TokenMatcher {
 public:
  TokenMatcher(SharedGrammar grammar, SharedVocabulary vocabulary);
  TokenMatcher(TokenMatcher&&) noexcept;
  TokenMatcher& operator=(TokenMatcher&&) noexcept;
  ~TokenMatcher();

  // vocabulary->words() words; bit t % 64 of word t / 64 is set if token t may come next. Tokens that end a reply are allowed exactly where
  // the grammar may end. Valid until the next call of advance().
  std::span<const std::uint64_t> allowed();

  // `token` was chosen. False, and nothing has changed, if it was not allowed. A token that ends the reply is the last one.
  bool advance(TokenId token);

  // Tokens that must come next: the bytes that the grammar leaves no choice in, as the tokenizer cuts them, less a last token that could
  // grow with what follows. A function of the state alone. Empty where the model has a say.
  std::vector<TokenId> forced();

  bool may_end() const;   // the text so far is whole
  bool must_end() const;  // and nothing can follow it
  bool ended() const;     // a token that ends the reply was taken

  // The grammar is so ambiguous here that following it would take more memory than a reply may have: only the end is allowed from now on,
  // and the text may be unfinished. Whoever serves the reply turns it into an error.
  bool gave_up() const;

  // For tests, and for text that was chosen otherwise: the same, with bytes. False, and nothing has changed, where they do not fit.
  bool advance_bytes(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qn::text
