// The states in which a text can be under a grammar, found as they are needed, and the steps between them.
//   A state is a set of items (node, count, rest): the text may be at `node` of a rule, having taken the body of its loop `count` times,
//   and when that rule ends it goes on in the state `rest`. So a state is at the same time what a call leaves behind: there is no stack,
//   and where two readings of a text meet again they are one. States are interned: equal ones have one index in a table. Invariants: items
//   are sorted and differ; an item that may end its rule has its rest's items beside it; one that can only end is left out; rests are older
//   than the states that name them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "text/grammar/automaton.h"

namespace qn::text::grammar {

using StateIndex = std::uint32_t;

inline constexpr StateIndex dead = 0;       // no text goes on so
inline constexpr StateIndex beginning = 1;  // the rest of the outermost rule: nothing
inline constexpr std::uint32_t end_node = 0xFFFFFFFE;

struct Item {
  std::uint32_t node;
  std::uint32_t count;
  StateIndex rest;
  auto operator<=>(const Item&) const = default;
  bool operator==(const Item&) const = default;
};

struct StateLimits {
  std::size_t items = 512;                    // in a state
  std::size_t bytes = std::size_t{16} << 20;  // in a table
};

class StateTable {
 public:
  // How a loop of the outermost rule counts. A lone node (node_mask.h) does not know its count: it counts from 0 without an end, may leave
  // the loop after `least` more, and every item says at which count the outermost rule is.
  struct Outermost {
    bool relative = false;
    std::uint32_t least = 0;
  };

  explicit StateTable(const Automaton& automaton, const StateLimits& limits = {}) : StateTable(automaton, limits, Outermost{}) {}
  StateTable(const Automaton& automaton, const StateLimits& limits, Outermost outermost);

  StateIndex start();                    // of the grammar
  StateIndex alone(std::uint32_t node);  // {(node, 0, beginning)}, though the node may be final
  StateIndex step(StateIndex state, std::uint8_t byte) {
    const StateIndex known = states_[state].steps == no_steps ? unknown : steps_[states_[state].steps + automaton_->class_of[byte]];
    return known != unknown ? known : find_step(state, byte);
  }
  bool may_end(StateIndex state) const { return states_[state].may_end; }
  bool goes_on(StateIndex state);  // some byte may follow
  // The bytes that may follow; false: none or several, true: exactly one.
  bool only_byte(StateIndex state, std::uint8_t& byte);

  std::span<const Item> items(StateIndex state) const { return {items_.data() + states_[state].first_item, states_[state].items}; }
  // Counts of the outermost rule, over all readings of the text so far: the least of those that are still in its loop (none: all have left
  // it, or there is none), and the least and the most at which it was left (most < least: it was not).
  struct Turns {
    std::uint32_t inside = none, left_least = none, left_most = 0;
  };
  const Turns& turns(StateIndex state) const { return states_[state].turns; }
  std::uint64_t key(StateIndex state) const { return states_[state].key; }

  std::size_t bytes() const;
  bool overflowed() const { return overflowed_; }  // a limit was hit, and a step answered `dead` for it

  // A state of another table over the same automaton, with everything that it refers to.
  StateIndex adopt(const StateTable& other, StateIndex state);

 private:
  static constexpr std::uint32_t unknown = 0xFFFFFFFF;
  static constexpr std::uint32_t no_steps = 0xFFFFFFFF;

  struct State {
    std::uint32_t first_item, items;
    std::uint32_t first_open = no_steps, opens = 0;  // items with edges to take, those of called rules among them
    std::uint32_t steps = no_steps;
    Turns turns;
    std::uint64_t key;
    bool may_end;
  };
  struct Pending {  // a called rule, and where to go on after it
    std::uint32_t order, rule;
    std::vector<Item> rest;
  };

  bool at_end_of_loop(const Node& node, std::uint32_t count, StateIndex rest) const;
  bool may_repeat(const Node& node, std::uint32_t count, StateIndex rest) const;
  void add(std::vector<Item>& items, std::uint32_t node, std::uint32_t count, StateIndex rest) const;
  StateIndex intern(std::vector<Item>& items);
  StateIndex find_step(StateIndex state, std::uint8_t byte);
  void open(StateIndex state);
  void visit(std::uint32_t node, std::uint32_t count, StateIndex rest, std::vector<Item>& opens);
  void call(std::uint32_t rule, std::uint32_t node, std::uint32_t count, StateIndex rest);
  void tidy(std::vector<Item>& items) const;
  void grow_index();

  const Automaton* automaton_;
  StateLimits limits_;
  Outermost outermost_;
  std::vector<State> states_;
  std::vector<Item> items_;
  std::vector<Item> opens_;
  std::vector<StateIndex> steps_;  // by class, for each state that has been asked
  std::vector<StateIndex> index_;  // open addressing by key; dead: free
  std::vector<Pending> pending_;
  std::vector<Item> scratch_;
  bool overflowed_ = false;
};

}  // namespace qn::text::grammar
