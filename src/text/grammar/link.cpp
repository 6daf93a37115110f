#include "text/grammar/link.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"
#include "text/grammar/determinize.h"
#include "text/grammar/hash.h"
#include "text/grammar/rule_writer.h"

namespace qn::text::grammar {
namespace {

// A node is productive if its rule can end from it. Least fixed point, from the ends backwards.
class Productive {
 public:
  explicit Productive(Automaton& automaton) : automaton_(automaton), users_(automaton.nodes.size()), callers_(automaton.rules.size()) {}

  void find() {
    auto& nodes = automaton_.nodes;
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
      for (std::uint32_t i = 0; i < nodes[n].edges; ++i) users_[automaton_.edges[nodes[n].first_edge + i].target].push_back(n);
      for (std::uint32_t i = 0; i < nodes[n].calls; ++i) {
        const Call& call = automaton_.calls[nodes[n].first_call + i];
        users_[call.target].push_back(n), callers_[call.rule].push_back(n);
      }
      if (nodes[n].loop && automaton_.rules[nodes[n].rule].min > 0) callers_[automaton_.rules[nodes[n].rule].body].push_back(n);
      todo_.push_back(n);
    }
    while (!todo_.empty()) {
      const std::uint32_t n = todo_.back();
      todo_.pop_back();
      if (nodes[n].productive || !holds(n)) continue;
      nodes[n].productive = true;
      todo_.insert(todo_.end(), users_[n].begin(), users_[n].end());
      if (automaton_.rules[nodes[n].rule].start == n)
        todo_.insert(todo_.end(), callers_[nodes[n].rule].begin(), callers_[nodes[n].rule].end());
    }
  }

 private:
  bool ends(std::uint32_t rule) const { return automaton_.nodes[automaton_.rules[rule].start].productive; }

  bool holds(std::uint32_t n) const {
    const Node& node = automaton_.nodes[n];
    if (node.loop && automaton_.rules[node.rule].min > 0 && !ends(automaton_.rules[node.rule].body)) return false;
    if (node.final) return true;
    for (std::uint32_t i = 0; i < node.edges; ++i)
      if (automaton_.nodes[automaton_.edges[node.first_edge + i].target].productive) return true;
    for (std::uint32_t i = 0; i < node.calls; ++i) {
      const Call& call = automaton_.calls[node.first_call + i];
      if (ends(call.rule) && automaton_.nodes[call.target].productive) return true;
    }
    return false;
  }

  Automaton& automaton_;
  std::vector<std::vector<std::uint32_t>> users_, callers_;
  std::vector<std::uint32_t> todo_;
};

// What leads nowhere goes; the lists only shrink, in place.
void drop_unproductive(Automaton& automaton) {
  const auto ends = [&](std::uint32_t rule) { return automaton.nodes[automaton.rules[rule].start].productive; };
  for (Node& node : automaton.nodes) {
    const auto edges = automaton.edges.begin() + node.first_edge;
    node.edges = static_cast<std::uint32_t>(
        std::remove_if(edges, edges + node.edges, [&](const Edge& edge) { return !automaton.nodes[edge.target].productive; }) - edges);
    const auto calls = automaton.calls.begin() + node.first_call;
    node.calls = static_cast<std::uint32_t>(
        std::remove_if(calls, calls + node.calls,
                       [&](const Call& call) { return !ends(call.rule) || !automaton.nodes[call.target].productive; }) -
        calls);
  }
  for (Rule& rule : automaton.rules)
    if (rule.body != none && !ends(rule.body)) rule.body = none;
}

// Rules in an order in which whoever begins with a call comes before what it calls: depth first, numbered from the back.
class Order {
 public:
  Order(Automaton& automaton, const std::vector<RuleSource>& sources)
      : automaton_(automaton), sources_(sources), mark_(automaton.rules.size(), Mark::fresh) {}

  Status find() {
    next_ = static_cast<std::uint32_t>(automaton_.rules.size());
    for (std::uint32_t rule = 0; rule < automaton_.rules.size(); ++rule) QN_OK(visit(rule));
    return {};
  }

 private:
  enum class Mark : std::uint8_t { fresh, open, done };
  struct Visit {
    std::uint32_t rule, next;
  };

  Status visit(std::uint32_t root) {
    if (mark_[root] != Mark::fresh) return {};
    std::vector<Visit> stack{{root, 0}};
    mark_[root] = Mark::open;
    while (!stack.empty()) {
      const std::uint32_t rule = stack.back().rule, child = stack.back().next++;
      const Node& start = automaton_.nodes[automaton_.rules[rule].start];
      const std::uint32_t body = automaton_.rules[rule].body;
      if (child > start.calls || (child == start.calls && body == none)) {
        mark_[rule] = Mark::done;
        automaton_.rules[rule].order = --next_;
        stack.pop_back();
        continue;
      }
      const std::uint32_t called = child < start.calls ? automaton_.calls[start.first_call + child].rule : body;
      if (mark_[called] == Mark::open)
        return fail(Code::bad_input,
                    "grammar: rule {} begins with itself by way of rule {}; begin one of them with something else, or repeat with *",
                    quoted(sources_[called].name), quoted(sources_[rule].name));
      if (mark_[called] == Mark::done) continue;
      mark_[called] = Mark::open;
      stack.push_back({called, 0});
    }
    return {};
  }

  Automaton& automaton_;
  const std::vector<RuleSource>& sources_;
  std::vector<Mark> mark_;
  std::uint32_t next_ = 0;
};

void find_byte_classes(Automaton& automaton) {
  std::array<bool, 257> cut{};
  for (const Node& node : automaton.nodes)
    for (std::uint32_t i = 0; i < node.edges; ++i) {
      const Edge& edge = automaton.edges[node.first_edge + i];
      cut[edge.first] = cut[edge.last + 1U] = true;
    }
  std::uint32_t at = 0;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (byte > 0 && cut[byte]) ++at;
    automaton.class_of[byte] = static_cast<std::uint8_t>(at);
  }
  automaton.classes = at + 1;
}

// Rules that reach no cycle of calls are known by what they are; the others by the grammar they are of, as it was compiled.
class Keys {
 public:
  Keys(Automaton& automaton, const std::vector<std::uint32_t>& first_node) : automaton_(automaton), first_node_(first_node) {}

  void find() {
    static std::atomic<std::uint64_t> compiled{0};
    const std::uint64_t own = mix(process_seed(), ++compiled);
    const std::size_t count = automaton_.rules.size();
    std::vector<std::uint32_t> waiting(count, 0);
    std::vector<std::vector<std::uint32_t>> callers(count);
    std::vector<std::uint32_t> ready;
    for (std::uint32_t rule = 0; rule < count; ++rule) {
      for_each_called(rule, [&](std::uint32_t called) { ++waiting[rule], callers[called].push_back(rule); });
      if (waiting[rule] == 0) ready.push_back(rule);
    }
    std::vector<bool> known(count);
    while (!ready.empty()) {
      const std::uint32_t rule = ready.back();
      ready.pop_back();
      automaton_.rules[rule].key = content(rule);
      known[rule] = true;
      for (const std::uint32_t caller : callers[rule])
        if (--waiting[caller] == 0) ready.push_back(caller);
    }
    for (std::uint32_t rule = 0; rule < count; ++rule)
      if (!known[rule]) automaton_.rules[rule].key = mix(own, rule);
    std::uint64_t whole = process_seed();
    for (const Rule& rule : automaton_.rules) whole = mix(whole, rule.key);
    automaton_.key = whole;
  }

 private:
  template <class Visit>
  void for_each_node(std::uint32_t rule, const Visit& visit) const {
    for (std::uint32_t n = first_node_[rule]; n < first_node_[rule + 1]; ++n) visit(automaton_.nodes[n]);
  }

  template <class Visit>
  void for_each_called(std::uint32_t rule, const Visit& visit) const {
    for_each_node(rule, [&](const Node& node) {
      for (std::uint32_t i = 0; i < node.calls; ++i) visit(automaton_.calls[node.first_call + i].rule);
    });
    if (automaton_.rules[rule].body != none) visit(automaton_.rules[rule].body);
  }

  std::uint64_t content(std::uint32_t rule) const {
    const Rule& r = automaton_.rules[rule];
    std::uint64_t h = mix(mix(process_seed(), r.min), r.max);
    h = mix(h, r.body == none ? 0 : automaton_.rules[r.body].key);
    for_each_node(rule, [&](const Node& node) {
      h = mix(h, (std::uint64_t{node.edges} << 32) | (std::uint64_t{node.calls} << 2) | (node.final ? 2U : 0U) | (node.loop ? 1U : 0U));
      for (std::uint32_t i = 0; i < node.edges; ++i) {
        const Edge& edge = automaton_.edges[node.first_edge + i];
        h = mix(h, (std::uint64_t{edge.first} << 48) | (std::uint64_t{edge.last} << 40) | (edge.target - first_node_[rule]));
      }
      for (std::uint32_t i = 0; i < node.calls; ++i) {
        const Call& call = automaton_.calls[node.first_call + i];
        h = mix(mix(h, automaton_.rules[call.rule].key), call.target - first_node_[rule]);
      }
    });
    return h;
  }

  Automaton& automaton_;
  const std::vector<std::uint32_t>& first_node_;
};

}  // namespace

std::uint64_t Automaton::node_key(std::uint32_t node) const {
  const Rule& rule = rules[nodes[node].rule];
  return mix(rule.key, node - rule.start);
}

Result<std::unique_ptr<const Automaton>> link(const ExpressionArena& arena, ExpressionId root, const GrammarLimits& limits,
                                              Deadline& deadline) {
  for (const Declared& declared : arena.declared)
    if (!declared.defined) return fail(Code::bad_input, "grammar: rule {} is used but not defined; define it", quoted(declared.name));
  auto automaton = std::make_unique<Automaton>();
  RuleWriter writer(arena, limits, deadline);
  QN_OK(writer.begin(root));
  std::vector<std::uint32_t> first_node;
  for (std::uint32_t rule = 0; rule < writer.rules().size(); ++rule) {
    QN_TRY(Nfa nfa, writer.write(rule));
    first_node.push_back(static_cast<std::uint32_t>(automaton->nodes.size()));
    const RuleSource& source = writer.rules()[rule];
    automaton->rules.push_back({});
    QN_OK(append_rule(std::move(nfa), rule, source.loop, limits, deadline, *automaton));
    Rule& made = automaton->rules.back();
    made.nullable = source.nullable;
    if (source.loop) {
      made.body = source.body;
      made.min = static_cast<std::uint32_t>(source.min);
      made.max = source.max == unlimited ? none : static_cast<std::uint32_t>(source.max);
    }
  }
  first_node.push_back(static_cast<std::uint32_t>(automaton->nodes.size()));
  Productive(*automaton).find();
  QN_OK(deadline.check());
  if (!automaton->nodes[automaton->rules[0].start].productive)
    return fail(Code::bad_input, "grammar: no text matches it; look for a rule that cannot end");
  drop_unproductive(*automaton);
  QN_OK(Order(*automaton, writer.rules()).find());
  find_byte_classes(*automaton);
  Keys(*automaton, first_node).find();
  QN_OK(deadline.check());
  return automaton;
}

}  // namespace qn::text::grammar
