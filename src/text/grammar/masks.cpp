#include "text/grammar/masks.h"

#include <algorithm>

#include "text/grammar/hash.h"

namespace qn::text::grammar {
namespace {

using Words = std::vector<std::uint64_t>;

void set(Words& words, TokenId token) {
  words[static_cast<std::size_t>(token) / 64] |= std::uint64_t{1} << (static_cast<std::size_t>(token) % 64);
}

// The tokens that take from `least` to `most` turns.
void add(const TokensByTurns& set_of, std::uint32_t least, std::uint32_t most, Words& words) {
  const std::size_t all = set_of.count(none), begin = least == 0 ? 0 : set_of.count(least - 1), end = set_of.count(most);
  if (begin >= end) return;
  if (set_of.dense.empty() || (2 * (end - begin) < all)) {
    for (std::size_t i = begin; i < end; ++i) set(words, set_of.tokens[i]);
    return;
  }
  if (end - begin == all) {
    for (std::size_t w = 0; w < words.size(); ++w) words[w] |= set_of.dense[w];
    return;
  }
  Words within = set_of.dense;
  const auto clear = [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const auto token = static_cast<std::size_t>(set_of.tokens[i]);
      within[token / 64] &= ~(std::uint64_t{1} << (token % 64));
    }
  };
  clear(0, begin), clear(end, all);
  for (std::size_t w = 0; w < words.size(); ++w) words[w] |= within[w];
}

void add_escapes(const NodeMask& mask, std::uint32_t least, std::uint32_t most, StateTable& table, StateIndex rest, const TokenTrie& trie,
                 std::vector<StateIndex>& path, Words& words) {
  for (std::size_t i = 0; i < mask.escapes.size();) {
    const std::uint8_t byte = mask.escapes[i].byte;
    const StateIndex next = table.step(rest, byte);
    for (; i < mask.escapes.size() && mask.escapes[i].byte == byte; ++i) {
      const Escape& escape = mask.escapes[i];
      if (next != dead && least <= escape.turns && escape.turns <= most) walk(table, trie, escape.trie_node, next, path, words);
    }
  }
}

}  // namespace

SharedNodeMask node_mask_of(const TokenVocabulary& vocabulary, const Automaton& automaton, std::uint32_t node, std::uint32_t least) {
  // No token takes more turns than it has bytes.
  const std::uint32_t counted = std::min(least, static_cast<std::uint32_t>(vocabulary.trie().depth + 1));
  for (const std::uint32_t turns : {0U, counted}) {
    const std::uint64_t key = mix(automaton.node_key(node), turns);
    SharedNodeMask mask = vocabulary.masks().find_node(key);
    if (!mask) mask = vocabulary.masks().keep(key, make_node_mask(automaton, vocabulary.trie(), vocabulary.words(), node, turns));
    if (mask->one_way_out || turns == counted) return mask;
  }
  return nullptr;
}

namespace {

StateMask make_state_mask(const TokenVocabulary& vocabulary, const Automaton& automaton, StateTable& table, StateIndex state) {
  StateMask mask;
  mask.words.assign(vocabulary.words(), 0);
  std::vector<StateIndex> path(vocabulary.trie().depth + 1, dead);
  const std::vector<Item> items(table.items(state).begin(), table.items(state).end());  // a copy: the table grows
  for (const Item& item : items) {
    if (item.node == end_node) {
      for (const TokenId token : vocabulary.trie().ends) set(mask.words, token);
      continue;
    }
    const Node& node = automaton.nodes[item.node];
    const Rule& rule = automaton.rules[node.rule];
    const std::uint32_t least = node.loop && item.count < rule.min ? rule.min - item.count : 0;
    const std::uint32_t turns = !node.loop || rule.max == none ? none : rule.max - item.count;
    const SharedNodeMask own = node_mask_of(vocabulary, automaton, item.node, least);
    mask.complete = mask.complete && own->complete;
    add(own->inside, 0, turns, mask.words);
    add(own->left, least, turns, mask.words);
    add_escapes(*own, least, turns, table, item.rest, vocabulary.trie(), path, mask.words);
  }
  mask.complete = mask.complete && !table.overflowed();
  return mask;
}

}  // namespace

SharedStateMask state_mask_of(const TokenVocabulary& vocabulary, const Automaton& automaton, StateTable& table, StateIndex state) {
  const std::uint64_t key = mix(automaton.key, table.key(state));
  if (SharedStateMask known = vocabulary.masks().find_state(key)) return known;
  StateMask mask = make_state_mask(vocabulary, automaton, table, state);
  if (table.overflowed()) {
    // Of what a reply has met so far nothing may depend on: whether the limits suffice is for a table to say that holds this state alone.
    StateTable fresh(automaton);
    const StateIndex same = fresh.adopt(table, state);
    mask = make_state_mask(vocabulary, automaton, fresh, same);
  }
  return vocabulary.masks().keep(key, std::move(mask));
}

}  // namespace qn::text::grammar
