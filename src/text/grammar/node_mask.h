// Which tokens may follow at one node of a rule, as far as that can be said without knowing where the rule was called from.
//   A token is `accepted` if it ends within the rule (or the rules that it calls). Where the rule has ended and the token goes on, its rest
//   is judged by the calling rule: an `Escape` says from which trie node on. In a rule with a loop both also say how many more turns the
//   loop takes, so that one mask serves every count.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "text/grammar/state_table.h"
#include "text/grammar/token_trie.h"

namespace qn::text::grammar {

struct Escape {
  std::uint32_t trie_node;  // entered by the first byte after the end of the rule
  std::uint16_t turns;
  std::uint8_t byte;  // that byte
};

// Tokens by how many turns of the loop they take; all take 0 in a rule without one.
struct TokensByTurns {
  std::vector<TokenId> tokens;
  std::vector<std::uint32_t> end;    // end[k]: in `tokens`, of those that take at most k turns
  std::vector<std::uint64_t> dense;  // the same set as bits, where it is large; `tokens` is empty then if there are no turns to tell apart

  std::size_t count(std::uint32_t turns) const { return end.empty() ? 0 : end[std::min<std::size_t>(turns, end.size() - 1)]; }
  std::size_t bytes() const;
};

struct NodeMask {
  TokensByTurns inside;         // still in the loop, whatever else; of a rule without a loop, none
  TokensByTurns left;           // the loop was left after so many turns
  std::vector<Escape> escapes;  // by byte
  bool complete = true;         // no limit was hit
  bool one_way_out = true;      // no token may leave the loop after two different numbers of turns

  std::size_t bytes() const { return sizeof *this + inside.bytes() + left.bytes() + escapes.capacity() * sizeof(Escape); }
};

//   least   how many turns the loop must still take, where node is the start of a loop. With one way out the mask for 0 serves all.
NodeMask make_node_mask(const Automaton& automaton, const TokenTrie& trie, std::size_t words, std::uint32_t node, std::uint32_t least);

// Sets the bit of every token below trie node `top` (itself among them) that the table's `state`, in which the text up to `top` is, can go
// on with.
void walk(StateTable& table, const TokenTrie& trie, std::uint32_t top, StateIndex state, std::vector<StateIndex>& path,
          std::vector<std::uint64_t>& words);

}  // namespace qn::text::grammar
