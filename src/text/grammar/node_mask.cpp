#include "text/grammar/node_mask.h"

#include <algorithm>

namespace qn::text::grammar {
namespace {

constexpr std::size_t dense_from = 1200;  // tokens; fewer are cheaper to set one by one than a whole mask is to copy

void set(std::vector<std::uint64_t>& words, TokenId token) {
  words[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
}

struct Taken {
  std::uint32_t turns;
  TokenId token;
};

// Sorted by turns, by counting: the tokens are many, the turns few.
TokensByTurns by_turns(const std::vector<Taken>& taken, std::size_t words) {
  TokensByTurns out;
  for (const Taken& one : taken) {
    if (one.turns >= out.end.size()) out.end.resize(one.turns + 1, 0);
    ++out.end[one.turns];
  }
  for (std::size_t k = 1; k < out.end.size(); ++k) out.end[k] += out.end[k - 1];
  if (taken.size() >= dense_from) {
    out.dense.assign(words, 0);
    for (const Taken& one : taken) set(out.dense, one.token);
    if (out.end.size() == 1) return out;
  }
  out.tokens.resize(taken.size());
  std::vector<std::uint32_t> next(out.end.size(), 0);
  for (std::size_t k = 1; k < next.size(); ++k) next[k] = out.end[k - 1];
  for (const Taken& one : taken) out.tokens[next[one.turns]++] = one.token;
  return out;
}

}  // namespace

std::size_t TokensByTurns::bytes() const {
  return tokens.capacity() * sizeof(TokenId) + end.capacity() * sizeof(std::uint32_t) + dense.capacity() * sizeof(std::uint64_t);
}

NodeMask make_node_mask(const Automaton& automaton, const TokenTrie& trie, std::size_t words, std::uint32_t node, std::uint32_t least) {
  NodeMask mask;
  StateTable table(automaton, StateLimits{}, StateTable::Outermost{true, least});
  std::vector<StateIndex> path(trie.depth + 1, dead);
  path[0] = table.alone(node);
  std::vector<Taken> inside, left;
  const auto last = static_cast<std::uint32_t>(trie.nodes.size() - 1);
  for (std::uint32_t at = 1; at < last;) {
    const TrieNode& here = trie.nodes[at];
    const StateIndex state = table.step(path[here.depth - 1U], here.byte);
    if (state == dead) {
      at = here.end;
      continue;
    }
    path[here.depth] = state;
    const StateTable::Turns turns = table.turns(state);
    if (turns.left_least < turns.left_most) mask.one_way_out = false;
    for (const TokenId token : trie.tokens_at(at)) {
      if (turns.inside != none) inside.push_back({turns.inside, token});
      if (turns.left_least != none) left.push_back({turns.left_least, token});
    }
    if (table.may_end(state))
      for (std::uint32_t child = at + 1; child < here.end; child = trie.nodes[child].end)
        for (const Item& item : table.items(state))
          if (item.node == end_node) mask.escapes.push_back({child, static_cast<std::uint16_t>(item.count), trie.nodes[child].byte});
    ++at;
  }
  std::stable_sort(mask.escapes.begin(), mask.escapes.end(), [](const Escape& a, const Escape& b) { return a.byte < b.byte; });
  mask.escapes.shrink_to_fit();
  mask.inside = by_turns(inside, words);
  mask.left = by_turns(left, words);
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
