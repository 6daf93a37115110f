#include "text/grammar/regex_product.h"

#include <algorithm>
#include <map>

namespace qn::text::grammar {
namespace {

constexpr std::size_t most_places = 20'000;  // of one expression written out
constexpr std::size_t most_states = 2000;    // of all expressions together, times the lengths

using Place = std::uint32_t;
using Places = std::vector<Place>;  // sorted

// One expression as places in it. From each some characters lead on; empty ways may depend on standing at the beginning or the end of the
// text.
class Paths {
 public:
  enum class Way : std::uint8_t { always, at_begin, at_end };

  // False: too many places.
  bool write(const Regex& regex) {
    const Place start = add(), found = add();
    static constexpr CharRange all[] = {{0, 0xD7FF}, {0xE000, 0x10FFFF}};
    const Place before = add();
    steps_[before].assign({{all[0], before}, {all[1], before}});
    steps_[found].assign({{all[0], found}, {all[1], found}});
    empty_[before].push_back({Way::always, start});
    first_ = before, accepted_ = found;
    return part(regex, regex.root, start, found);
  }

  Places begin() const { return closure({first_}, Way::at_begin); }
  bool accepts(const Places& places) const {
    const Places at_end = closure(places, Way::at_end);
    return std::binary_search(at_end.begin(), at_end.end(), accepted_);
  }
  // The empty text is at both ends.
  bool accepts_nothing() const {
    Places places = begin();
    for (;;) {
      Places more = closure(closure(places, Way::at_begin), Way::at_end);
      if (more == places) break;
      places = std::move(more);
    }
    return std::binary_search(places.begin(), places.end(), accepted_);
  }
  void cuts(const Places& places, std::vector<char32_t>& out) const {
    for (const Place place : places)
      for (const Step& step : steps_[place]) out.push_back(step.range.first), out.push_back(step.range.last + 1);
  }
  Places after(const Places& places, char32_t c) const {
    Places out;
    for (const Place place : places)
      for (const Step& step : steps_[place])
        if (step.range.first <= c && c <= step.range.last) out.push_back(step.to);
    return closure(std::move(out), Way::always);
  }

 private:
  struct Step {
    CharRange range;
    Place to;
  };
  struct Empty {
    Way way;
    Place to;
  };

  Place add() {
    steps_.emplace_back();
    empty_.emplace_back();
    return static_cast<Place>(steps_.size() - 1);
  }

  // The parser's depth bounds this one's.
  bool part(const Regex& regex, std::uint32_t id, Place from, Place to) {
    if (steps_.size() > most_places) return false;
    const RegexNode& node = regex.nodes[id];
    switch (node.kind) {
      case RegexNode::Kind::characters:
        for (const CharRange& range : node.ranges) steps_[from].push_back({range, to});
        return true;
      case RegexNode::Kind::begin: return empty_[from].push_back({Way::at_begin, to}), true;
      case RegexNode::Kind::end: return empty_[from].push_back({Way::at_end, to}), true;
      case RegexNode::Kind::choice:
        return std::all_of(node.parts.begin(), node.parts.end(), [&](std::uint32_t inner) { return part(regex, inner, from, to); });
      case RegexNode::Kind::sequence:
        for (const std::uint32_t inner : node.parts) {
          const Place next = add();
          if (!part(regex, inner, from, next)) return false;
          from = next;
        }
        return empty_[from].push_back({Way::always, to}), true;
      case RegexNode::Kind::repeat: break;
    }
    const int copies = std::max(node.min, node.max);
    for (int turn = 0; turn < copies; ++turn) {
      if (turn >= node.min) empty_[from].push_back({Way::always, to});
      const Place next = add();
      if (!part(regex, node.parts[0], from, next)) return false;
      from = next;
    }
    if (node.max < 0) {
      const Place head = add(), tail = add();
      empty_[from].push_back({Way::always, head});
      if (!part(regex, node.parts[0], head, tail)) return false;
      empty_[tail].push_back({Way::always, head});
      from = head;
    }
    return empty_[from].push_back({Way::always, to}), true;
  }

  Places closure(Places places, Way extra) const {
    std::vector<bool> seen(steps_.size());
    Places out;
    while (!places.empty()) {
      const Place place = places.back();
      places.pop_back();
      if (seen[place]) continue;
      seen[place] = true;
      out.push_back(place);
      for (const Empty& empty : empty_[place])
        if (empty.way == Way::always || empty.way == extra) places.push_back(empty.to);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<std::vector<Step>> steps_;
  std::vector<std::vector<Empty>> empty_;
  Place first_ = 0, accepted_ = 0;
};

struct State {
  std::vector<Places> places;  // by expression
  int length;                  // so far, as far as it matters
  bool operator<(const State& other) const { return std::tie(length, places) < std::tie(other.length, other.places); }
};

}  // namespace

Result<RuleId> write_product(GrammarBuilder& builder, std::span<const Regex> regexes, const Lengths& lengths, RuleId after,
                             const WriteCharacters& characters, const std::string& where) {
  const auto too_large = [&] {
    return fail(Code::too_large, "{}: too many states with its lengths or other patterns; put the lengths into the pattern", where);
  };
  std::vector<Paths> paths(regexes.size());
  for (std::size_t i = 0; i < regexes.size(); ++i)
    if (!paths[i].write(regexes[i])) return too_large();
  std::map<State, std::size_t> index;
  std::vector<const State*> states;
  std::vector<RuleId> rules;
  const auto number = [&](State state) {
    const auto [at, added] = index.try_emplace(std::move(state), states.size());
    if (added) states.push_back(&at->first), rules.push_back(builder.declare(where));
    return at->second;
  };
  State first{{}, 0};
  for (const Paths& path : paths) first.places.push_back(path.begin());
  number(std::move(first));
  std::size_t members = 0;
  for (std::size_t next = 0; next < states.size(); ++next) {
    if (states.size() > most_states || members > 100 * most_states) return too_large();
    const State& state = *states[next];
    std::vector<RuleId> ways;
    bool accepted = state.length >= lengths.min;
    std::vector<char32_t> cuts;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      accepted = accepted && (next == 0 ? paths[i].accepts_nothing() : paths[i].accepts(state.places[i]));
      paths[i].cuts(state.places[i], cuts);
      members += state.places[i].size();
    }
    if (accepted) ways.push_back(after);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    std::map<std::size_t, std::vector<CharRange>> leads_to;
    const bool full = lengths.max && state.length >= *lengths.max;
    for (std::size_t c = 0; c + 1 < cuts.size() && !full; ++c) {
      State reached{{}, std::min(state.length + 1, lengths.max ? *lengths.max : lengths.min)};
      bool dead = false;
      for (std::size_t i = 0; i < paths.size() && !dead; ++i) {
        reached.places.push_back(paths[i].after(state.places[i], cuts[c]));
        dead = reached.places.back().empty();
      }
      if (!dead) leads_to[number(std::move(reached))].push_back({cuts[c], cuts[c + 1] - 1});
    }
    for (const auto& [to, ranges] : leads_to) ways.push_back(builder.sequence({characters(ranges), rules[to]}));
    builder.define(rules[next], builder.choice(ways));
  }
  return rules[0];
}

}  // namespace qn::text::grammar
