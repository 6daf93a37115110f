// What the grammar targets have in common: a grammar that was accepted is followed, and its masks are compared with trying every token.
#pragma once

#include <string>
#include <vector>

#include "base/check.h"
#include "text/grammar/grammar.h"
#include "text/grammar/state_table.h"
#include "text/grammar/token_matcher.h"
#include "text/grammar/token_trie.h"
#include "text/tokenizer/byte_alphabet.h"

namespace qn::fuzz {

inline text::GrammarLimits small_limits() {
  text::GrammarLimits limits;
  limits.source_bytes = 4096;
  limits.states = 3000;
  limits.repetition = 300;
  limits.time = std::chrono::milliseconds(300);
  return limits;
}

// Bytes, and short texts that grammars like to have.
inline const text::Tokenizer& tokenizer() {
  static const text::Tokenizer made = [] {
    text::VocabSpec spec;
    spec.pre_split = text::PreSplit::none;
    for (int b = 0; b < 256; ++b) {
      const char byte = static_cast<char>(b);
      spec.tokens.push_back(text::letters_of_bytes({&byte, 1}));
    }
    for (const char* text :
         {"aa", "ab", "abc", "\": ", "{\"", "\",\"", "\"}", "[[", "]]", "00", "12", "true", "null", ", ", "é", "\\n", "\\u00", "aaaaaaaa"})
      spec.tokens.push_back(text::letters_of_bytes(text));
    spec.types.assign(spec.tokens.size(), text::TokenType::normal);
    spec.tokens.push_back("<|end|>");
    spec.types.push_back(text::TokenType::control);
    const auto id = static_cast<TokenId>(spec.tokens.size() - 1);
    text::AddedToken end{.id = id, .text = "<|end|>"};
    end.special = true;
    spec.added.push_back(end);
    spec.end_of_turn = {id};
    return std::move(*text::Tokenizer::make(std::move(spec)));
  }();
  return made;
}

inline void follow(const text::SharedGrammar& grammar, std::uint64_t seed) {
  const auto vocabulary = text::TokenVocabulary::make(tokenizer(), tokenizer().vocab_size(), std::size_t{1} << 20);
  text::TokenMatcher matcher(grammar, vocabulary);
  text::grammar::StateTable table(grammar->automaton());
  text::grammar::StateIndex state = table.start();
  for (int step = 0; step < 12; ++step) {
    const auto mask = matcher.allowed();
    if (matcher.gave_up() || table.overflowed()) return;
    std::vector<TokenId> allowed;
    for (TokenId token = 0; token < tokenizer().vocab_size(); ++token) {
      bool fits = tokenizer().ends_reply(token) && table.may_end(state);
      if (!tokenizer().ends_reply(token)) {
        text::grammar::StateIndex next = state;
        const std::string bytes = text::grammar::grammar_bytes(tokenizer(), token);
        for (const char byte : bytes) next = table.step(next, static_cast<std::uint8_t>(byte));
        fits = !bytes.empty() && next != text::grammar::dead;
      }
      if (table.overflowed()) return;
      const bool set = (mask[static_cast<std::size_t>(token) / 64] >> (static_cast<std::size_t>(token) % 64) & 1) != 0;
      QN_CHECK(set == fits, "a mask differs from trying the token");
      if (fits) allowed.push_back(token);
    }
    QN_CHECK(!allowed.empty(), "a reply has no way on");
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    const TokenId token = allowed[(seed >> 33) % allowed.size()];
    for (const TokenId forced : matcher.forced()) QN_CHECK(forced >= 0, "a forced token is one");
    QN_CHECK(matcher.advance(token), "an allowed token is refused");
    if (matcher.ended()) return;
    for (const char byte : text::grammar::grammar_bytes(tokenizer(), token)) state = table.step(state, static_cast<std::uint8_t>(byte));
  }
}

inline std::uint64_t seed_of(std::string_view text) {
  std::uint64_t seed = 14695981039346656037ULL;
  for (const char byte : text) seed = (seed ^ static_cast<std::uint8_t>(byte)) * 1099511628211ULL;
  return seed;
}

}  // namespace qn::fuzz
