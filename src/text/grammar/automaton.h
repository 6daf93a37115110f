// A grammar as it is run: rules are small automata over bytes that call each other. Immutable.
//   A rule begins at its start node and may end at each final node. An edge takes one byte; a call takes a whole text of another rule,
//   never the empty one (where that is allowed, an edge past the call exists). No rule calls itself before it has taken a byte. A rule with
//   a loop begins by taking its body `min` to `max` times; its start node counts them, and its edges lead out of the loop.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace qn::text::grammar {

inline constexpr std::uint32_t none = 0xFFFFFFFF;

struct Edge {
  std::uint8_t first, last;
  std::uint32_t target;
};

struct Call {
  std::uint32_t rule;
  std::uint32_t target;  // where to go on after it
};

struct Node {
  std::uint32_t first_edge = 0, edges = 0;
  std::uint32_t first_call = 0, calls = 0;
  std::uint32_t rule = 0;
  bool final = false;
  bool loop = false;        // the start of a rule with a loop
  bool productive = false;  // its rule can end from here
};

struct Rule {
  std::uint32_t start = 0;
  std::uint32_t order = 0;    // a rule that begins with calls to others has a smaller one than they
  std::uint32_t body = none;  // of its loop
  std::uint32_t min = 0, max = 0;
  bool nullable = false;
  std::uint64_t key = 0;  // equal keys: equal rules, in whichever grammar
};

struct Automaton {
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::vector<Call> calls;
  std::vector<Rule> rules;
  std::uint32_t root = 0;
  std::array<std::uint8_t, 256> class_of{};  // bytes that no edge tells apart share a class
  std::uint32_t classes = 1;
  std::uint64_t key = 0;

  bool goes_on(const Node& node) const { return node.edges + node.calls != 0 || (node.loop && rules[node.rule].body != none); }
  // A node's identity among all grammars, for masks.
  std::uint64_t node_key(std::uint32_t node) const;
};

}  // namespace qn::text::grammar
