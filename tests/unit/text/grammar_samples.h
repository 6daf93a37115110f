// Grammars, vocabularies and matching for the tests of text/grammar.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/expression.h"
#include "text/grammar/grammar.h"
#include "text/grammar/state_table.h"
#include "text/grammar/token_matcher.h"
#include "text/grammar/token_trie.h"
#include "tokenizer_samples.h"

namespace qn::text::samples {

// Whether the whole text is one of the grammar's.
inline bool matches(const Grammar& grammar, std::string_view text) {
  grammar::StateTable table(grammar.automaton());
  grammar::StateIndex state = table.start();
  for (const char byte : text) state = table.step(state, static_cast<std::uint8_t>(byte));
  return table.may_end(state);
}

inline Result<SharedGrammar> finished(GrammarBuilder& builder, const Result<RuleId>& root) {
  if (!root) return tl::unexpected<Error>(root.error());
  return builder.finish(*root);
}

inline Result<SharedGrammar> from_gbnf(std::string_view source, const GrammarLimits& limits = {}) {
  GrammarBuilder builder(limits);
  return finished(builder, builder.gbnf(source, "grammar"));
}

inline Result<SharedGrammar> from_regex(std::string_view pattern, const GrammarLimits& limits = {}) {
  GrammarBuilder builder(limits);
  return finished(builder, builder.regex(pattern, "regex"));
}

inline Result<SharedGrammar> from_schema(std::string_view schema, const GrammarLimits& limits = {}) {
  const Result<json::Value> value = json::parse(schema, json::Limits{.depth = 1000});
  EXPECT_TRUE(value.has_value()) << schema;
  GrammarBuilder builder(limits);
  return finished(builder, builder.json_schema(*value, "schema"));
}

// Fails with the error's message where there is no grammar.
inline SharedGrammar must(const Result<SharedGrammar>& grammar) {
  if (grammar) return *grammar;
  ADD_FAILURE() << grammar.error().message;
  GrammarBuilder builder;
  return *builder.finish(builder.literal("\x01no grammar"));
}

// The bytes, the given texts with whatever leads up to them, and some added tokens. Ids from 256: see `vocab_spec`.
inline Tokenizer tokenizer_of(const std::vector<std::string>& texts) {
  MergeList merges;
  for (const std::string& text : texts)
    for (std::size_t i = 1; i < text.size(); ++i) merges.emplace_back(text.substr(0, i), text.substr(i, 1));
  VocabSpec spec = byte_level(merges);
  add(spec, "<tool_call>", false);
  add(spec, "[CALL]", true);
  spec.end_of_turn = {add(spec, "<|end|>", true), add(spec, "<|stop|>", true)};
  Result<Tokenizer> made = Tokenizer::make(std::move(spec));
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return std::move(*made);
}

inline bool is_set(std::span<const std::uint64_t> mask, TokenId token) {
  return (mask[static_cast<std::size_t>(token) / 64] >> (static_cast<std::size_t>(token) % 64) & 1) != 0;
}

// What a mask allows where the text so far is `text`, token by token, by the steps of the bytes alone.
inline std::vector<TokenId> allowed_by_bytes(const Grammar& grammar, const Tokenizer& tokenizer, std::string_view text) {
  grammar::StateTable table(grammar.automaton());
  grammar::StateIndex state = table.start();
  for (const char byte : text) state = table.step(state, static_cast<std::uint8_t>(byte));
  std::vector<TokenId> allowed;
  for (TokenId token = 0; token < tokenizer.vocab_size(); ++token) {
    if (tokenizer.ends_reply(token)) {
      if (table.may_end(state)) allowed.push_back(token);
      continue;
    }
    const std::string bytes = grammar::grammar_bytes(tokenizer, token);
    grammar::StateIndex next = state;
    for (const char byte : bytes) next = table.step(next, static_cast<std::uint8_t>(byte));
    if (!bytes.empty() && next != grammar::dead) allowed.push_back(token);
  }
  return allowed;
}

inline std::vector<TokenId> set_bits(std::span<const std::uint64_t> mask) {
  std::vector<TokenId> out;
  for (std::size_t token = 0; token < mask.size() * 64; ++token)
    if (is_set(mask, static_cast<TokenId>(token))) out.push_back(static_cast<TokenId>(token));
  return out;
}

}  // namespace qn::text::samples
