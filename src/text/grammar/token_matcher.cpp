#include "text/grammar/token_matcher.h"

#include "base/utf8.h"
#include "text/grammar/expression.h"
#include "text/grammar/masks.h"

namespace qn::text {

using grammar::StateIndex;
using grammar::StateTable;

namespace {

constexpr std::size_t table_bytes = std::size_t{4} << 20;  // of one reply's states, before those of its past are dropped
constexpr std::size_t most_forced_bytes = 4096;

}  // namespace

struct TokenMatcher::State {
  SharedGrammar grammar;
  SharedVocabulary vocabulary;
  StateTable table;
  StateIndex at;
  grammar::SharedStateMask mask;  // of `at`, if it has been asked for
  bool ended = false;
  bool gave_up = false;
  std::size_t compact_from = table_bytes;

  State(SharedGrammar grammar_, SharedVocabulary vocabulary_)
      : grammar(std::move(grammar_)), vocabulary(std::move(vocabulary_)), table(grammar->automaton()), at(table.start()) {}

  // False: the bytes do not fit.
  bool take(std::string_view bytes) {
    StateIndex next = follow(bytes);
    if (table.overflowed() && compact()) next = follow(bytes);
    if (table.overflowed()) give_up();
    if (next == grammar::dead || gave_up) return false;
    at = next;
    mask = nullptr;
    if (table.bytes() > compact_from) compact();
    return true;
  }

  StateIndex follow(std::string_view bytes) {
    StateIndex next = at;
    for (const char byte : bytes)
      if (next != grammar::dead) next = table.step(next, static_cast<std::uint8_t>(byte));
    return next;
  }

  // Drops what only the past was about. False: what remains is too much by itself.
  bool compact() {
    StateTable fresh(grammar->automaton());
    at = fresh.adopt(table, at);
    table = std::move(fresh);
    compact_from = table_bytes + table.bytes();
    if (table.overflowed()) give_up();
    return !gave_up;
  }

  void give_up() {
    gave_up = true;
    mask = nullptr;
  }

  grammar::SharedStateMask only_ends() const {
    grammar::StateMask ends;
    ends.words.assign(vocabulary->words(), 0);
    for (const TokenId token : vocabulary->trie().ends)
      ends.words[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
    return std::make_shared<const grammar::StateMask>(std::move(ends));
  }
};

TokenMatcher::TokenMatcher(SharedGrammar grammar, SharedVocabulary vocabulary)
    : state_(std::make_unique<State>(std::move(grammar), std::move(vocabulary))) {}
TokenMatcher::TokenMatcher(TokenMatcher&&) noexcept = default;
TokenMatcher& TokenMatcher::operator=(TokenMatcher&&) noexcept = default;
TokenMatcher::~TokenMatcher() = default;

std::span<const std::uint64_t> TokenMatcher::allowed() {
  State& s = *state_;
  if (s.mask) return s.mask->words;
  if (!s.gave_up) {
    s.mask = grammar::state_mask_of(*s.vocabulary, s.grammar->automaton(), s.table, s.at);
    if (s.table.overflowed()) {
      const grammar::SharedStateMask kept = s.mask;
      if (s.compact()) s.mask = kept;
    }
    if (s.gave_up || !s.mask->complete) s.give_up();
  }
  if (s.gave_up) s.mask = s.only_ends();
  return s.mask->words;
}

bool TokenMatcher::advance(TokenId token) {
  State& s = *state_;
  const Tokenizer& tokenizer = s.vocabulary->tokenizer();
  if (s.ended || token < 0 || token >= tokenizer.vocab_size()) return false;
  if (tokenizer.ends_reply(token)) return s.ended = s.gave_up || may_end();
  if (s.gave_up) return false;
  const std::string bytes = grammar::grammar_bytes(tokenizer, token);
  return !bytes.empty() && s.take(bytes);
}

bool TokenMatcher::advance_bytes(std::string_view bytes) {
  return !state_->ended && !state_->gave_up && state_->take(bytes);
}

bool TokenMatcher::may_end() const {
  return state_->table.may_end(state_->at);
}
bool TokenMatcher::must_end() const {
  return state_->gave_up || (may_end() && !state_->table.goes_on(state_->at));
}
bool TokenMatcher::ended() const {
  return state_->ended;
}
bool TokenMatcher::gave_up() const {
  return state_->gave_up;
}

std::vector<TokenId> TokenMatcher::forced() {
  State& s = *state_;
  if (s.ended || s.gave_up) return {};
  std::string bytes;
  StateIndex at = s.at;
  for (std::uint8_t byte = 0; bytes.size() < most_forced_bytes && s.table.only_byte(at, byte); bytes.push_back(static_cast<char>(byte)))
    at = s.table.step(at, byte);
  if (bytes.empty()) return {};
  const Tokenizer& tokenizer = s.vocabulary->tokenizer();
  if (bytes[0] == static_cast<char>(grammar::special_mark)) {
    for (const TokenId token : s.vocabulary->trie().tokens)
      if (tokenizer.is_special(token) && bytes.compare(1, tokenizer.special_text(token).size(), tokenizer.special_text(token)) == 0)
        return {token};
    return {};
  }
  const bool ends = s.table.may_end(at) && !s.table.goes_on(at);
  const std::size_t mark = bytes.find(static_cast<char>(grammar::special_mark));
  const bool whole = mark != std::string::npos || ends;  // nothing can grow with what follows
  bytes.resize(mark != std::string::npos ? mark : utf8::complete_prefix(bytes));
  if (!utf8::is_valid(bytes)) return {};  // begins within a character
  std::vector<TokenId> tokens = tokenizer.encode(bytes, EncodeOptions{Specials::as_text});
  if (!whole && !tokens.empty()) tokens.pop_back();
  // What the tokenizer makes of bytes need not be what they were (normalisation, a space put in front): only tokens that fit are forced.
  StateIndex check = s.at;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    for (const char byte : grammar::grammar_bytes(tokenizer, tokens[i])) {
      check = s.table.step(check, static_cast<std::uint8_t>(byte));
      if (check == grammar::dead) {
        tokens.resize(i);
        return tokens;
      }
    }
  return tokens;
}

}  // namespace qn::text
