#include "text/grammar/token_trie.h"

#include <algorithm>

#include "text/grammar/expression.h"

namespace qn::text::grammar {

std::string grammar_bytes(const Tokenizer& tokenizer, TokenId token) {
  if (tokenizer.is_special(token)) {
    const std::string_view text = tokenizer.special_text(token);
    if (text.empty() || tokenizer.ends_reply(token)) return {};
    return std::string(1, static_cast<char>(special_mark)).append(text);
  }
  const std::string_view bytes = tokenizer.bytes_of(token);
  if (bytes.size() > TokenTrie::longest_token || bytes.find(static_cast<char>(special_mark)) != std::string_view::npos) return {};
  return std::string(bytes);
}

TokenTrie::TokenTrie(const Tokenizer& tokenizer) {
  std::vector<std::pair<std::string, TokenId>> sorted;
  for (TokenId token = 0; token < tokenizer.vocab_size(); ++token) {
    if (tokenizer.ends_reply(token)) {
      ends.push_back(token);
      continue;
    }
    std::string bytes = grammar_bytes(tokenizer, token);
    if (!bytes.empty()) sorted.emplace_back(std::move(bytes), token);
  }
  std::sort(sorted.begin(), sorted.end());
  nodes.push_back({0, 0, 0, 0});
  std::vector<std::uint32_t> path{0};  // nodes from the root to the last token's
  std::string_view before;
  for (const auto& [bytes, token] : sorted) {
    const auto common =
        static_cast<std::size_t>(std::mismatch(before.begin(), before.end(), bytes.begin(), bytes.end()).first - before.begin());
    for (; path.size() > common + 1; path.pop_back()) nodes[path.back()].end = static_cast<std::uint32_t>(nodes.size());
    for (std::size_t i = common; i < bytes.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(nodes.size()));
      nodes.push_back(
          {0, static_cast<std::uint32_t>(tokens.size()), static_cast<std::uint16_t>(i + 1), static_cast<std::uint8_t>(bytes[i])});
    }
    depth = std::max(depth, bytes.size());
    tokens.push_back(token);
    before = bytes;
  }
  for (; !path.empty(); path.pop_back()) nodes[path.back()].end = static_cast<std::uint32_t>(nodes.size());
  nodes.push_back({static_cast<std::uint32_t>(nodes.size()) + 1, static_cast<std::uint32_t>(tokens.size()), 0, 0});
}

}  // namespace qn::text::grammar
