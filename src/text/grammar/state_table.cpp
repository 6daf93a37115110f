#include "text/grammar/state_table.h"

#include <algorithm>

#include "base/check.h"
#include "text/grammar/hash.h"

namespace qn::text::grammar {

StateTable::StateTable(const Automaton& automaton, const StateLimits& limits, Outermost outermost)
    : automaton_(&automaton), limits_(limits), outermost_(outermost), index_(64, dead) {
  states_.push_back({0, 0, 0, 0, no_steps, {}, process_seed(), false});
  states_.push_back({0, 0, 0, 0, no_steps, {}, mix(process_seed(), 1), false});
}

StateIndex StateTable::start() {
  std::vector<Item> items;
  const Rule& root = automaton_->rules[automaton_->root];
  const Node& node = automaton_->nodes[root.start];
  if (automaton_->goes_on(node)) items.push_back({root.start, 0, beginning});
  if (root.nullable) items.push_back({end_node, 0, dead});
  return intern(items);
}

StateIndex StateTable::alone(std::uint32_t node) {
  std::vector<Item> items{{node, 0, beginning}};
  return intern(items);
}

bool StateTable::at_end_of_loop(const Node& node, std::uint32_t count, StateIndex rest) const {
  if (!node.loop) return true;
  return count >= (outermost_.relative && rest == beginning ? outermost_.least : automaton_->rules[node.rule].min);
}

bool StateTable::may_repeat(const Node& node, std::uint32_t count, StateIndex rest) const {
  const Rule& rule = automaton_->rules[node.rule];
  return node.loop && rule.body != none && ((outermost_.relative && rest == beginning) || count < rule.max);
}

void StateTable::add(std::vector<Item>& items, std::uint32_t node, std::uint32_t count, StateIndex rest) const {
  if (node == end_node) return items.push_back({node, count, rest});
  const Node& at = automaton_->nodes[node];
  if (at.edges + at.calls != 0 || may_repeat(at, count, rest)) items.push_back({node, count, rest});
  if (!at.final || !at_end_of_loop(at, count, rest)) return;
  if (rest == beginning) return items.push_back({end_node, count, dead});
  const std::span<const Item> after = this->items(rest);
  items.insert(items.end(), after.begin(), after.end());
}

// Sorted, each once. Of two counts of one loop that may both be left, the smaller can do all that the greater can.
void StateTable::tidy(std::vector<Item>& items) const {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  std::vector<std::pair<std::uint32_t, StateIndex>> left;
  const auto superfluous = [&](const Item& item) {
    if (item.count == 0 || item.node == end_node || (outermost_.relative && item.rest == beginning)) return false;
    const Node& node = automaton_->nodes[item.node];
    if (!node.loop) return false;
    const std::uint32_t min = automaton_->rules[node.rule].min;
    if (item.count < min) return false;
    const auto smaller = std::lower_bound(items.begin(), items.end(), Item{item.node, min, 0});
    for (auto at = smaller; at != items.end() && at->node == item.node && at->count < item.count; ++at)
      if (at->rest == item.rest) return true;
    return false;
  };
  if (std::none_of(items.begin(), items.end(), [](const Item& item) { return item.count > 1; })) return;
  std::vector<Item> kept;
  for (const Item& item : items)
    if (!superfluous(item)) kept.push_back(item);
  items = std::move(kept);
}

void StateTable::grow_index() {
  std::vector<StateIndex> larger(index_.size() * 2, dead);
  for (StateIndex state = 2; state < states_.size(); ++state) {
    std::size_t at = states_[state].key & (larger.size() - 1);
    while (larger[at] != dead) at = (at + 1) & (larger.size() - 1);
    larger[at] = state;
  }
  index_ = std::move(larger);
}

StateIndex StateTable::intern(std::vector<Item>& items) {
  tidy(items);
  if (items.empty()) return dead;
  if (items.size() > limits_.items || bytes() > limits_.bytes) {
    overflowed_ = true;
    return dead;
  }
  std::uint64_t sum = 0;  // in any order: indices, and so the order of items, differ between tables
  for (const Item& item : items) sum += mix(mix(process_seed(), (std::uint64_t{item.node} << 32) | item.count), states_[item.rest].key);
  const std::uint64_t key = mix(process_seed(), sum);
  std::size_t at = key & (index_.size() - 1);
  for (; index_[at] != dead; at = (at + 1) & (index_.size() - 1)) {
    const State& other = states_[index_[at]];
    if (other.key == key && other.items == items.size() && std::equal(items.begin(), items.end(), items_.begin() + other.first_item))
      return index_[at];
  }
  const auto state = static_cast<StateIndex>(states_.size());
  State made{static_cast<std::uint32_t>(items_.size()), static_cast<std::uint32_t>(items.size()), no_steps, 0, no_steps, {}, key, false};
  for (const Item& item : items) {
    made.may_end = made.may_end || item.node == end_node;
    Turns own;
    if (item.node != end_node && item.rest != beginning)
      own = states_[item.rest].turns;
    else if (item.node != end_node && automaton_->nodes[item.node].loop)
      own.inside = item.count;
    else
      own.left_least = own.left_most = item.count;
    made.turns.inside = std::min(made.turns.inside, own.inside);
    made.turns.left_least = std::min(made.turns.left_least, own.left_least);
    made.turns.left_most = std::max(made.turns.left_most, own.left_most);
  }
  items_.insert(items_.end(), items.begin(), items.end());
  states_.push_back(made);
  index_[at] = state;
  if (states_.size() * 2 > index_.size()) grow_index();
  return state;
}

void StateTable::call(std::uint32_t rule, std::uint32_t node, std::uint32_t count, StateIndex rest) {
  const std::uint32_t order = automaton_->rules[rule].order;
  auto at = std::lower_bound(pending_.begin(), pending_.end(), order, [](const Pending& p, std::uint32_t o) { return p.order > o; });
  if (at == pending_.end() || at->order != order) at = pending_.insert(at, {order, rule, {}});
  add(at->rest, node, count, rest);
}

void StateTable::visit(std::uint32_t node, std::uint32_t count, StateIndex rest, std::vector<Item>& opens) {
  const Node& at = automaton_->nodes[node];
  const std::uint32_t carried = outermost_.relative && rest == beginning ? count : 0;
  if (at_end_of_loop(at, count, rest)) {
    if (at.edges != 0) opens.push_back({node, carried, rest});
    for (std::uint32_t i = 0; i < at.calls; ++i) {
      const Call& c = automaton_->calls[at.first_call + i];
      call(c.rule, c.target, carried, rest);
    }
  }
  if (may_repeat(at, count, rest)) call(automaton_->rules[at.rule].body, node, count + 1, rest);
}

// Finds the items with edges. Rules are entered in their order, so that every caller of one is known before it is entered.
void StateTable::open(StateIndex state) {
  if (states_[state].first_open != no_steps) return;
  std::vector<Item> opens;
  pending_.clear();
  for (std::uint32_t i = 0; i < states_[state].items; ++i) {
    const Item item = items_[states_[state].first_item + i];
    if (item.node != end_node) visit(item.node, item.count, item.rest, opens);
  }
  while (!pending_.empty()) {
    Pending next = std::move(pending_.back());
    pending_.pop_back();
    const StateIndex rest = intern(next.rest);
    if (rest == dead) continue;  // overflowed
    visit(automaton_->rules[next.rule].start, 0, rest, opens);
  }
  std::sort(opens.begin(), opens.end());
  opens.erase(std::unique(opens.begin(), opens.end()), opens.end());
  states_[state].first_open = static_cast<std::uint32_t>(opens_.size());
  states_[state].opens = static_cast<std::uint32_t>(opens.size());
  opens_.insert(opens_.end(), opens.begin(), opens.end());
}

StateIndex StateTable::find_step(StateIndex state, std::uint8_t byte) {
  if (state <= beginning) return dead;
  open(state);
  if (states_[state].steps == no_steps) {
    states_[state].steps = static_cast<std::uint32_t>(steps_.size());
    steps_.resize(steps_.size() + automaton_->classes, unknown);
  }
  std::vector<Item> items = std::move(scratch_);
  items.clear();
  for (std::uint32_t i = 0; i < states_[state].opens; ++i) {
    const Item item = opens_[states_[state].first_open + i];
    const Node& node = automaton_->nodes[item.node];
    for (std::uint32_t e = node.first_edge; e < node.first_edge + node.edges; ++e) {
      const Edge& edge = automaton_->edges[e];
      if (edge.first <= byte && byte <= edge.last) add(items, edge.target, item.count, item.rest);
    }
    if (items.size() > 4 * limits_.items) {
      overflowed_ = true;
      items.clear();
      break;
    }
  }
  const StateIndex next = intern(items);
  scratch_ = std::move(items);
  return steps_[states_[state].steps + automaton_->class_of[byte]] = next;
}

bool StateTable::goes_on(StateIndex state) {
  if (state <= beginning) return false;
  open(state);
  return states_[state].opens != 0;
}

bool StateTable::only_byte(StateIndex state, std::uint8_t& byte) {
  if (state <= beginning || may_end(state)) return false;
  open(state);
  bool found = false;
  for (std::uint32_t i = 0; i < states_[state].opens; ++i) {
    const Node& node = automaton_->nodes[opens_[states_[state].first_open + i].node];
    for (std::uint32_t e = node.first_edge; e < node.first_edge + node.edges; ++e) {
      const Edge& edge = automaton_->edges[e];
      if (edge.first != edge.last || (found && edge.first != byte)) return false;
      byte = edge.first, found = true;
    }
  }
  return found;
}

std::size_t StateTable::bytes() const {
  return states_.size() * sizeof(State) + (items_.size() + opens_.size()) * sizeof(Item) + steps_.size() * sizeof(StateIndex) +
         index_.size() * sizeof(StateIndex);
}

// Rests are older than what names them: states are copied in the order of their indices, those that are reached.
StateIndex StateTable::adopt(const StateTable& other, StateIndex state) {
  if (state <= beginning) return state;
  std::vector<bool> reached(state + 1);
  reached[state] = true;
  for (StateIndex s = state; s > beginning; --s)
    if (reached[s])
      for (const Item& item : other.items(s)) reached[item.rest] = true;
  std::vector<StateIndex> here(state + 1, dead);
  here[beginning] = beginning;
  for (StateIndex s = beginning + 1; s <= state; ++s) {
    if (!reached[s]) continue;
    std::vector<Item> items(other.items(s).begin(), other.items(s).end());
    for (Item& item : items) item.rest = here[item.rest];
    here[s] = intern(items);
  }
  return here[state];
}

}  // namespace qn::text::grammar
