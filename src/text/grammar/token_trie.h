// The tokens of a vocabulary by their bytes, in depth-first order: a node's subtree, and its tokens, are the run that follows it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace qn::text::grammar {

struct TrieNode {
  std::uint32_t end;          // one past its subtree
  std::uint32_t first_token;  // in `tokens`; up to the next node's
  std::uint16_t depth;        // bytes from the root
  std::uint8_t byte;          // the last of them
};

struct TokenTrie {
  static constexpr std::size_t longest_token = 1024;  // longer ones are never chosen under a grammar

  explicit TokenTrie(const Tokenizer& tokenizer);

  std::span<const TokenId> tokens_at(std::uint32_t node) const {
    return {tokens.data() + nodes[node].first_token, nodes[node + 1].first_token - nodes[node].first_token};
  }

  std::vector<TrieNode> nodes;  // nodes[0] is the root; one more stands behind the last
  std::vector<TokenId> tokens;
  std::vector<TokenId> ends;  // that end a reply
  std::size_t depth = 0;      // of the deepest node
};

// The bytes by which a grammar knows the token: a control token's text stands behind special_mark. Empty: never allowed.
std::string grammar_bytes(const Tokenizer& tokenizer, TokenId token);

}  // namespace qn::text::grammar
