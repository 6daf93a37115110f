#include "text/grammar/determinize.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "text/grammar/hash.h"

namespace qn::text::grammar {
namespace {

using States = std::vector<std::uint32_t>;  // sorted

struct Closure {
  const Nfa& nfa;
  std::vector<std::uint32_t> seen;  // by state: the round that last met it
  std::uint32_t round = 0;

  explicit Closure(const Nfa& nfa_) : nfa(nfa_), seen(nfa_.arcs.size(), 0) {}

  // What is reachable without a byte, less states that only lead on without one.
  States of(const States& from) {
    ++round;
    States todo = from, out;
    for (const std::uint32_t state : from) seen[state] = round;
    while (!todo.empty()) {
      const std::uint32_t at = todo.back();
      todo.pop_back();
      bool kept = at == nfa.start || at == nfa.exit;  // no arc enters the start, so what contains it is the start alone
      for (const Arc& arc : nfa.arcs[at]) {
        if (arc.kind != Arc::Kind::empty) {
          kept = true;
        } else if (seen[arc.to] != round) {
          seen[arc.to] = round;
          todo.push_back(arc.to);
        }
      }
      if (kept) out.push_back(at);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

// R → R a | b  is  R → b a*: whatever followed the call of itself may follow the end of the rule.
void take_out_left_recursion(Nfa& nfa, std::uint32_t rule) {
  const States first = Closure(nfa).of({nfa.start});
  const auto calls_itself = [&](const Arc& arc) { return arc.kind == Arc::Kind::call && arc.rule == rule; };
  const bool found = std::any_of(first.begin(), first.end(), [&](std::uint32_t state) {
    return std::any_of(nfa.arcs[state].begin(), nfa.arcs[state].end(), calls_itself);
  });
  if (!found) return;
  const std::uint32_t start = nfa.add_state();
  for (const std::uint32_t state : first) {
    if (state == nfa.exit) nfa.add_empty(start, nfa.exit);
    for (const Arc& arc : std::vector<Arc>(nfa.arcs[state])) {  // a copy: the lists grow
      if (arc.kind == Arc::Kind::empty) continue;
      if (calls_itself(arc))
        nfa.add_empty(nfa.exit, arc.to);
      else
        nfa.arcs[start].push_back(arc);
    }
  }
  nfa.start = start;
}

struct Hash {
  std::size_t operator()(const States& states) const {
    std::uint64_t h = states.size();
    for (const std::uint32_t s : states) h = mix(h, s);
    return h;
  }
};

// Nodes of one rule, numbered from 0, before they are appended.
class Writer {
 public:
  Writer(const Nfa& nfa, const GrammarLimits& limits, Deadline& deadline, Automaton& automaton, std::uint32_t rule)
      : nfa_(nfa), limits_(limits), deadline_(deadline), automaton_(automaton), rule_(rule), closure_(nfa), base_(automaton.nodes.size()) {}

  // False: not deterministic within `budget` subset members; nothing is left behind.
  Result<bool> deterministic(std::size_t budget) {
    const std::size_t edges = automaton_.edges.size(), calls = automaton_.calls.size();
    std::size_t members = 0;
    number(closure_.of({nfa_.start}));
    for (std::size_t next = 0; next < subsets_.size(); ++next) {
      QN_OK(check());
      members += subsets_[next]->size();
      if (members > budget) {
        automaton_.nodes.resize(base_), automaton_.edges.resize(edges), automaton_.calls.resize(calls);
        subsets_.clear(), index_.clear();
        return false;
      }
      write_subset(*subsets_[next]);
    }
    return true;
  }

  // One node for each state. Several edges may take a byte.
  Status plain() {
    number(closure_.of({nfa_.start}));  // the start's own subset; every other node is one state's closure
    for (std::size_t next = 0; next < subsets_.size(); ++next) {
      QN_OK(check());
      const States& members = *subsets_[next];
      Node node = begin(members);
      for (const std::uint32_t state : members)
        for (const Arc& arc : nfa_.arcs[state])
          if (arc.kind == Arc::Kind::byte) automaton_.edges.push_back({arc.first, arc.last, number(closure_.of({arc.to}))});
      for (const std::uint32_t state : members)
        for (const Arc& arc : nfa_.arcs[state])
          if (arc.kind == Arc::Kind::call) automaton_.calls.push_back({arc.rule, number(closure_.of({arc.to}))});
      finish(node);
    }
    return {};
  }

 private:
  Status check() {
    QN_OK(deadline_.check());
    if (base_ + subsets_.size() <= static_cast<std::size_t>(limits_.states)) return {};
    return fail(Code::too_large, "grammar: more than {} automaton states; use a smaller one", limits_.states);
  }

  std::uint32_t number(States states) {
    const auto [at, added] = index_.try_emplace(std::move(states), static_cast<std::uint32_t>(base_ + subsets_.size()));
    if (added) subsets_.push_back(&at->first);
    return at->second;
  }

  Node begin(const States& members) const {
    Node node;
    node.first_edge = static_cast<std::uint32_t>(automaton_.edges.size());
    node.first_call = static_cast<std::uint32_t>(automaton_.calls.size());
    node.rule = rule_;
    node.final = std::binary_search(members.begin(), members.end(), nfa_.exit);
    return node;
  }

  void finish(Node node) {
    node.edges = static_cast<std::uint32_t>(automaton_.edges.size()) - node.first_edge;
    node.calls = static_cast<std::uint32_t>(automaton_.calls.size()) - node.first_call;
    automaton_.nodes.push_back(node);
  }

  // Between two neighbouring cuts every byte leads to the same states.
  void write_subset(const States& members) {
    Node node = begin(members);
    std::vector<std::pair<unsigned, Arc>> begins;
    std::vector<unsigned> cuts;
    std::map<std::uint32_t, States> called;
    for (const std::uint32_t state : members)
      for (const Arc& arc : nfa_.arcs[state]) {
        if (arc.kind == Arc::Kind::byte) {
          begins.emplace_back(arc.first, arc);
          cuts.push_back(arc.first), cuts.push_back(arc.last + 1U);
        } else if (arc.kind == Arc::Kind::call) {
          called[arc.rule].push_back(arc.to);
        }
      }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::sort(begins.begin(), begins.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Arc> open;
    std::size_t next = 0;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      std::erase_if(open, [&](const Arc& arc) { return arc.last < cuts[i]; });
      for (; next < begins.size() && begins[next].first == cuts[i]; ++next) open.push_back(begins[next].second);
      if (open.empty()) continue;
      States targets;
      for (const Arc& arc : open) targets.push_back(arc.to);
      sort_unique(targets);
      const std::uint32_t target = number(closure_.of(targets));
      const auto first = static_cast<std::uint8_t>(cuts[i]), last = static_cast<std::uint8_t>(cuts[i + 1] - 1);
      if (automaton_.edges.size() > node.first_edge && automaton_.edges.back().target == target &&
          automaton_.edges.back().last + 1 == first)
        automaton_.edges.back().last = last;
      else
        automaton_.edges.push_back({first, last, target});
    }
    for (auto& [rule, targets] : called) {
      sort_unique(targets);
      automaton_.calls.push_back({rule, number(closure_.of(targets))});
    }
    finish(node);
  }

  static void sort_unique(States& states) {
    std::sort(states.begin(), states.end());
    states.erase(std::unique(states.begin(), states.end()), states.end());
  }

  const Nfa& nfa_;
  const GrammarLimits& limits_;
  Deadline& deadline_;
  Automaton& automaton_;
  std::uint32_t rule_;
  Closure closure_;
  std::size_t base_;
  std::vector<const States*> subsets_;  // in `index_`, by number
  std::unordered_map<States, std::uint32_t, Hash> index_;
};

}  // namespace

Status append_rule(Nfa nfa, std::uint32_t rule, bool loop, const GrammarLimits& limits, Deadline& deadline, Automaton& automaton) {
  take_out_left_recursion(nfa, rule);
  const auto start = static_cast<std::uint32_t>(automaton.nodes.size());
  Writer writer(nfa, limits, deadline, automaton, rule);
  QN_TRY(const bool done, writer.deterministic(16 * nfa.arcs.size() + 4096));
  if (!done) QN_OK(writer.plain());
  automaton.nodes[start].loop = loop;
  automaton.rules[rule].start = start;
  return {};
}

}  // namespace qn::text::grammar
