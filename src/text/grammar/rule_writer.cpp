#include "text/grammar/rule_writer.h"

#include <algorithm>
#include <array>
#include <deque>

#include "text/grammar/utf8_ranges.h"

namespace qn::text::grammar {
namespace {

constexpr std::uint64_t written_out_steps = 24;  // a bounded repetition of at most so many automaton states is not counted
constexpr std::uint64_t repeated_steps = 8;      // a part of at most so many is written again at each use
constexpr std::size_t taken_along = 6;           // parts behind a loop that become part of its rule

std::uint64_t capped(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > 1'000'000'000 / b ? 1'000'000'000 : a * b;
}

}  // namespace

RuleWriter::RuleWriter(const ExpressionArena& arena, const GrammarLimits& limits, Deadline& deadline)
    : arena_(arena), limits_(limits), deadline_(deadline) {}

ExpressionId RuleWriter::definition(ExpressionId id) const {
  return arena_.declared[arena_.expressions[id].text].definition;
}

// An expression is nullable if it may match the empty text. Least fixed point: facts travel from parts to whoever uses them.
void RuleWriter::find_nullable() {
  const auto& expressions = arena_.expressions;
  std::vector<std::vector<ExpressionId>> users(expressions.size());
  for (ExpressionId id = 0; id < expressions.size(); ++id) {
    for (const ExpressionId part : expressions[id].parts) users[part].push_back(id);
    if (expressions[id].kind == Kind::declared) users[definition(id)].push_back(id);
  }
  nullable_.assign(expressions.size(), 0);
  const auto holds = [&](ExpressionId id) {
    const Expression& e = expressions[id];
    const auto nullable = [&](ExpressionId part) { return nullable_[part] != 0; };
    switch (e.kind) {
      case Kind::literal: return arena_.texts[e.text].empty();
      case Kind::characters: return false;
      case Kind::sequence: return std::all_of(e.parts.begin(), e.parts.end(), nullable);
      case Kind::choice: return std::any_of(e.parts.begin(), e.parts.end(), nullable);
      case Kind::repeat: return e.min == 0 || nullable(e.parts[0]);
      case Kind::until: return true;
      case Kind::declared: return nullable(definition(id));
    }
    return false;
  };
  std::deque<ExpressionId> todo;
  for (ExpressionId id = 0; id < expressions.size(); ++id) todo.push_back(id);
  while (!todo.empty()) {
    const ExpressionId id = todo.front();
    todo.pop_front();
    if (nullable_[id] || !holds(id)) continue;
    nullable_[id] = 1;
    todo.insert(todo.end(), users[id].begin(), users[id].end());
  }
}

bool RuleWriter::stands_alone(ExpressionId id) const {
  const Expression& e = arena_.expressions[id];
  return id != opened_ && (e.kind == Kind::declared || (e.uses > 1 && e.steps > repeated_steps));
}

bool RuleWriter::counted(const Expression& e) const {
  if (e.kind != Kind::repeat) return false;
  const std::uint64_t times = static_cast<std::uint64_t>(e.max == unlimited ? e.min : e.max);
  return times > 1 && capped(arena_.expressions[e.parts[0]].steps, times) > written_out_steps;
}

Status RuleWriter::begin(ExpressionId root) {
  find_nullable();
  rules_.push_back({"root", {root}, false, 0, 0, 0, 0, nullable_[root] != 0, none_opened});
  return deadline_.check();
}

std::uint32_t RuleWriter::rule_of(ExpressionId id, const std::string& near) {
  const auto [at, added] = rule_of_.try_emplace(id, static_cast<std::uint32_t>(rules_.size()));
  if (!added) return at->second;
  const Expression& e = arena_.expressions[id];
  const bool named = e.kind == Kind::declared;
  rules_.push_back({named ? arena_.declared[e.text].name : near,
                    {named ? definition(id) : id},
                    false,
                    0,
                    0,
                    0,
                    0,
                    nullable_[id] != 0,
                    named ? none_opened : id});
  return at->second;
}

std::uint32_t RuleWriter::loop_rule(ExpressionId repeat, std::vector<ExpressionId> rest, const std::string& near) {
  std::vector<ExpressionId> key = rest;
  key.push_back(repeat);
  const auto [at, added] = loop_rules_.try_emplace(std::move(key), static_cast<std::uint32_t>(rules_.size()));
  const std::uint32_t rule = at->second;
  if (!added) return rule;
  const Expression& e = arena_.expressions[repeat];
  const bool empty_body = nullable_[e.parts[0]] != 0;
  RuleSource source{near, std::move(rest), true, repeat, 0, empty_body ? 0 : e.min, e.max, false, none_opened};
  source.nullable =
      source.min == 0 && std::all_of(source.sequence.begin(), source.sequence.end(), [&](ExpressionId id) { return nullable_[id] != 0; });
  rules_.push_back(std::move(source));
  const std::uint32_t body = rule_of(e.parts[0], near);
  rules_[rule].body = body;
  return rule;
}

Result<Nfa> RuleWriter::write(std::uint32_t rule) {
  nfa_ = Nfa{};
  nfa_.start = nfa_.add_state(), nfa_.exit = nfa_.add_state();
  name_ = rules_[rule].name, opened_ = rules_[rule].opened;
  std::vector<ExpressionId> reversed(rules_[rule].sequence.rbegin(), rules_[rule].sequence.rend());
  write_sequence(std::move(reversed), nfa_.start, nfa_.exit);
  states_ += nfa_.arcs.size();
  QN_OK(deadline_.check());
  if (states_ > 2 * static_cast<std::size_t>(limits_.states))
    return fail(Code::too_large, "grammar: more than {} automaton states; use a smaller one", limits_.states);
  return std::move(nfa_);
}

void RuleWriter::call(std::uint32_t rule, std::uint32_t from, std::uint32_t to) {
  nfa_.add_call(from, rule, to);
  if (rules_[rule].nullable) nfa_.add_empty(from, to);
}

void RuleWriter::write(ExpressionId id, std::uint32_t from, std::uint32_t to) {
  if (deadline_.passed() || nfa_.arcs.size() > 2 * static_cast<std::size_t>(limits_.states)) return;  // write(rule) reports it
  const Expression& e = arena_.expressions[id];
  if (stands_alone(id)) return call(rule_of(id, name_), from, to);
  switch (e.kind) {
    case Kind::literal: {
      const std::string& text = arena_.texts[e.text];
      std::uint32_t at = from;
      for (const char c : text) {
        const std::uint32_t next = nfa_.add_state();
        nfa_.add_byte(at, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(c), next);
        at = next;
      }
      return nfa_.add_empty(at, to);
    }
    case Kind::characters: return write_characters(arena_.classes[e.text], from, to);
    case Kind::sequence: return write_sequence({e.parts.rbegin(), e.parts.rend()}, from, to);
    case Kind::choice:
      for (const ExpressionId part : e.parts) write(part, from, to);
      return;
    case Kind::repeat: return write_repeat(id, from, to);
    case Kind::until: return write_until(arena_.stops[e.text], from, to);
    case Kind::declared: return;
  }
}

// Sequences within are flattened, so that a loop takes along what follows it in this rule: a mask then knows how the text goes on behind
// it.
void RuleWriter::write_sequence(std::vector<ExpressionId> reversed, std::uint32_t from, std::uint32_t to) {
  std::uint32_t at = from;
  while (!reversed.empty()) {
    const ExpressionId id = reversed.back();
    reversed.pop_back();
    const Expression& e = arena_.expressions[id];
    if (!stands_alone(id) && e.kind == Kind::sequence) {
      reversed.insert(reversed.end(), e.parts.rbegin(), e.parts.rend());
      continue;
    }
    const std::uint32_t next = nfa_.add_state();
    if (!stands_alone(id) && counted(e)) {
      const auto taken = static_cast<std::ptrdiff_t>(std::min(reversed.size(), taken_along));
      call(loop_rule(id, {reversed.rbegin(), reversed.rbegin() + taken}, name_), at, next);
      reversed.resize(reversed.size() - static_cast<std::size_t>(taken));
    } else {
      write(id, at, next);
    }
    at = next;
  }
  nfa_.add_empty(at, to);
}

void RuleWriter::write_repeat(ExpressionId id, std::uint32_t from, std::uint32_t to) {
  const Expression& e = arena_.expressions[id];
  const ExpressionId body = e.parts[0];
  if (counted(e)) return call(loop_rule(id, {}, name_), from, to);
  std::uint32_t at = nfa_.add_state();
  nfa_.add_empty(from, at);
  for (int i = 0; i < e.min; ++i) {
    const std::uint32_t next = nfa_.add_state();
    write(body, at, next);
    at = next;
  }
  if (e.max == unlimited) {
    const std::uint32_t head = nfa_.add_state(), tail = nfa_.add_state();
    nfa_.add_empty(at, head);
    write(body, head, tail);
    nfa_.add_empty(tail, head);
    return nfa_.add_empty(head, to);
  }
  for (int i = e.min; i < e.max; ++i) {
    nfa_.add_empty(at, to);
    const std::uint32_t next = nfa_.add_state();
    write(body, at, next);
    at = next;
  }
  nfa_.add_empty(at, to);
}

// Sequences that end alike share their ends.
void RuleWriter::write_characters(const std::vector<CharRange>& ranges, std::uint32_t from, std::uint32_t to) {
  std::map<std::vector<std::uint8_t>, std::uint32_t> before;  // the state from which these last bytes lead to `to`
  for (const Utf8Sequence& sequence : utf8_sequences(ranges)) {
    std::uint32_t next = to;
    std::vector<std::uint8_t> tail;
    for (int i = sequence.length - 1; i > 0; --i) {
      const auto [first, last] = sequence.bytes[static_cast<std::size_t>(i)];
      tail.push_back(first), tail.push_back(last);
      const auto [at, added] = before.try_emplace(tail, 0);
      if (added) {
        at->second = nfa_.add_state();
        nfa_.add_byte(at->second, first, last, next);
      }
      next = at->second;
    }
    nfa_.add_byte(from, sequence.bytes[0][0], sequence.bytes[0][1], next);
  }
}

// The automaton of Aho and Corasick (1975) over all stops, without the states in which one has been seen.
void RuleWriter::write_until(const std::vector<std::string>& stops, std::uint32_t from, std::uint32_t to) {
  struct Trie {
    std::array<std::uint32_t, 256> next{};  // 0: none yet, then the fallback's
    std::uint32_t fallback = 0;
    bool stop = false;
  };
  std::vector<Trie> trie(1);
  for (const std::string& stop : stops) {
    std::uint32_t at = 0;
    for (const char c : stop) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (trie[at].next[byte] == 0) {
        trie[at].next[byte] = static_cast<std::uint32_t>(trie.size());
        trie.emplace_back();
      }
      at = trie[at].next[byte];
    }
    trie[at].stop = true;
  }
  std::deque<std::uint32_t> breadth_first;
  for (const std::uint32_t next : trie[0].next)
    if (next != 0) breadth_first.push_back(next);
  while (!breadth_first.empty()) {
    const std::uint32_t at = breadth_first.front();
    breadth_first.pop_front();
    const std::uint32_t fallback = trie[at].fallback;
    trie[at].stop = trie[at].stop || trie[fallback].stop;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::uint32_t& next = trie[at].next[byte];
      if (next == 0) {
        next = trie[fallback].next[byte];
      } else {
        trie[next].fallback = trie[fallback].next[byte];
        breadth_first.push_back(next);
      }
    }
  }
  std::vector<std::uint32_t> state(trie.size());
  for (std::uint32_t& s : state) s = nfa_.add_state();
  nfa_.add_empty(from, state[0]);
  for (std::size_t at = 0; at < trie.size(); ++at) {
    if (trie[at].stop) continue;
    nfa_.add_empty(state[at], to);
    for (unsigned first = 0; first < special_mark;) {
      const std::uint32_t next = trie[at].next[first];
      unsigned last = first;
      while (last + 1 < special_mark && trie[at].next[last + 1] == next) ++last;
      if (!trie[next].stop) nfa_.add_byte(state[at], static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last), state[next]);
      first = last + 1;
    }
  }
}

}  // namespace qn::text::grammar
