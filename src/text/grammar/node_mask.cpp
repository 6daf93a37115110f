#include "text/grammar/node_mask.h"

#include <algorithm>

namespace qn::text::grammar {
namespace {

constexpr std::size_t dense_from = 1200;  // tokens; fewer are cheaper to set one by one than a whole mask is to copy

void set(std::vector<std::uint64_t>& words, TokenId token) {
  words[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
}

}  // namespace

std::size_t NodeMask::bytes() const {
  return sizeof *this + accepted.capacity() * sizeof(TokenId) + accepted_end.capacity() * sizeof(std::uint32_t) +
         dense.capacity() * sizeof(std::uint64_t) + escapes.capacity() * sizeof(Escape);
}

std::size_t NodeMask::count(std::uint32_t turns) const {
  return accepted_end.empty() ? 0 : accepted_end[std::min<std::size_t>(turns, accepted_end.size() - 1)];
}

NodeMask make_node_mask(const Automaton& automaton, const TokenTrie& trie, std::size_t words, std::uint32_t node, std::uint32_t least) {
  NodeMask mask;
  StateTable table(automaton, StateLimits{}, StateTable::Outermost{true, least});
  std::vector<StateIndex> path(trie.depth + 1, dead);
  path[0] = table.alone(node);
  std::vector<std::pair<std::uint32_t, TokenId>> accepted;  // turns, token
  const auto last = static_cast<std::uint32_t>(trie.nodes.size() - 1);
  for (std::uint32_t at = 1; at < last;) {
    const TrieNode& here = trie.nodes[at];
    const StateIndex state = table.step(path[here.depth - 1U], here.byte);
    if (state == dead) {
      at = here.end;
      continue;
    }
    path[here.depth] = state;
    for (const TokenId token : trie.tokens_at(at)) accepted.emplace_back(table.least_count(state), token);
    if (table.may_end(state))
      for (std::uint32_t child = at + 1; child < here.end; child = trie.nodes[child].end)
        for (const Item& item : table.items(state))
          if (item.node == end_node) mask.escapes.push_back({child, static_cast<std::uint16_t>(item.count), trie.nodes[child].byte});
    ++at;
  }
  std::stable_sort(accepted.begin(), accepted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::stable_sort(mask.escapes.begin(), mask.escapes.end(), [](const Escape& a, const Escape& b) { return a.byte < b.byte; });
  mask.accepted.reserve(accepted.size());
  for (const auto& [turns, token] : accepted) {
    while (mask.accepted_end.size() < turns) mask.accepted_end.push_back(static_cast<std::uint32_t>(mask.accepted.size()));
    if (mask.accepted_end.size() == turns) mask.accepted_end.push_back(0);
    mask.accepted.push_back(token);
    mask.accepted_end[turns] = static_cast<std::uint32_t>(mask.accepted.size());
  }
  if (mask.accepted.size() >= dense_from) {
    mask.dense.assign(words, 0);
    for (const TokenId token : mask.accepted) set(mask.dense, token);
    if (mask.accepted_end.size() == 1) mask.accepted = {};  // the bits say it all
  }
  mask.escapes.shrink_to_fit();
  mask.complete = !table.overflowed();
  return mask;
}

void walk(StateTable& table, const TokenTrie& trie, std::uint32_t top, StateIndex state, std::vector<StateIndex>& path,
          std::vector<std::uint64_t>& words) {
  for (const TokenId token : trie.tokens_at(top)) set(words, token);
  path[trie.nodes[top].depth] = state;
  const std::uint32_t end = trie.nodes[top].end;
  for (std::uint32_t at = top + 1; at < end;) {
    const TrieNode& here = trie.nodes[at];
    const StateIndex next = table.step(path[here.depth - 1U], here.byte);
    if (next == dead) {
      at = here.end;
      continue;
    }
    path[here.depth] = next;
    for (const TokenId token : trie.tokens_at(at)) set(words, token);
    ++at;
  }
}

}  // namespace qn::text::grammar
