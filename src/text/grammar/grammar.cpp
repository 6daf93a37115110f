#include "text/grammar/grammar.h"

#include "base/check.h"
#include "text/grammar/automaton.h"
#include "text/grammar/builder_parts.h"
#include "text/grammar/link.h"
#include "text/grammar/utf8_ranges.h"

namespace qn::text {

using grammar::Expression;
using grammar::ExpressionId;
using grammar::Kind;

namespace {

constexpr int deepest_expression = 2000;
constexpr std::uint64_t most_steps = 1'000'000'000;

}  // namespace

Grammar::Grammar(std::unique_ptr<const grammar::Automaton> automaton) : automaton_(std::move(automaton)) {}
Grammar::~Grammar() = default;
int Grammar::states() const {
  return static_cast<int>(automaton_->nodes.size());
}
std::size_t Grammar::memory_bytes() const {
  return sizeof *automaton_ + automaton_->nodes.capacity() * sizeof(grammar::Node) + automaton_->edges.capacity() * sizeof(grammar::Edge) +
         automaton_->calls.capacity() * sizeof(grammar::Call) + automaton_->rules.capacity() * sizeof(grammar::Rule);
}

GrammarBuilder::GrammarBuilder(const GrammarLimits& limits) : parts_(std::make_unique<Parts>(limits)) {}
GrammarBuilder::GrammarBuilder(GrammarBuilder&&) noexcept = default;
GrammarBuilder& GrammarBuilder::operator=(GrammarBuilder&&) noexcept = default;
GrammarBuilder::~GrammarBuilder() = default;

RuleId GrammarBuilder::Parts::add(Expression expression) {
  if (fault) return {0};
  std::uint64_t steps = expression.steps;
  for (const ExpressionId id : expression.parts) {
    Expression& part = arena.expressions[id];
    ++part.uses;
    expression.depth = std::max(expression.depth, part.depth + 1);
    steps += part.steps;
  }
  if (expression.kind == Kind::repeat) {
    const auto times = static_cast<std::uint64_t>(std::max(1, expression.max == grammar::unlimited ? expression.min : expression.max));
    steps = std::min(most_steps, steps) * times;
  }
  expression.steps = std::min(most_steps, steps);
  if (expression.depth > deepest_expression) {
    fault = Error{Code::too_large, fmt::format("grammar: parts nested more than {} deep; flatten it", deepest_expression)};
    return {0};
  }
  // The automaton has a node for a step at least, the uses of a part aside; so what is far too much ends here.
  if (arena.expressions.size() >= 2 * static_cast<std::size_t>(limits.states)) {
    fault = Error{Code::too_large, fmt::format("grammar: more than {} automaton states; use a smaller one", limits.states)};
    return {0};
  }
  arena.expressions.push_back(std::move(expression));
  return {static_cast<std::uint32_t>(arena.expressions.size() - 1)};
}

RuleId GrammarBuilder::literal(std::string_view bytes) {
  Expression e{Kind::literal};
  e.text = static_cast<std::uint32_t>(parts_->arena.texts.size());
  e.steps = bytes.size();
  parts_->literal_bytes += bytes.size();
  if (parts_->literal_bytes > 4 * parts_->limits.source_bytes && !parts_->fault)
    parts_->fault =
        Error{Code::too_large, fmt::format("grammar: more than {} bytes of literals; use a smaller one", 4 * parts_->limits.source_bytes)};
  if (parts_->fault) return {0};
  parts_->arena.texts.emplace_back(bytes);
  return parts_->add(std::move(e));
}

RuleId GrammarBuilder::special(std::string_view text) {
  std::string marked(1, static_cast<char>(grammar::special_mark));
  marked += text;
  return literal(marked);
}

RuleId GrammarBuilder::characters(std::span<const CharRange> ranges) {
  Expression e{Kind::characters};
  e.text = static_cast<std::uint32_t>(parts_->arena.classes.size());
  std::vector<CharRange> clean = grammar::normalized(ranges);
  std::vector<char32_t> key;
  if (clean.size() <= 2)
    for (const CharRange& range : clean) key.push_back(range.first), key.push_back(range.last);
  if (const auto known = parts_->small_classes.find(key); known != parts_->small_classes.end() && clean.size() <= 2) return known->second;
  e.steps = 1;
  for (const CharRange& range : clean) e.steps += range.last < 0x80 ? 0 : 3;
  parts_->class_ranges += clean.size();
  if (parts_->class_ranges > 4 * static_cast<std::size_t>(parts_->limits.states) && !parts_->fault)
    parts_->fault = Error{Code::too_large, fmt::format("grammar: more than {} automaton states; use a smaller one", parts_->limits.states)};
  if (parts_->fault) return {0};
  parts_->arena.classes.push_back(std::move(clean));
  const RuleId made = parts_->add(std::move(e));
  if (!key.empty()) parts_->small_classes.emplace(std::move(key), made);
  return made;
}

RuleId GrammarBuilder::character_not_in(std::span<const CharRange> ranges) {
  return characters(grammar::complement(ranges));
}

RuleId GrammarBuilder::sequence(std::span<const RuleId> parts) {
  if (parts.size() == 1) return parts[0];
  Expression e{Kind::sequence};
  for (const RuleId part : parts) e.parts.push_back(part.value);
  return parts_->add(std::move(e));
}

RuleId GrammarBuilder::choice(std::span<const RuleId> parts) {
  if (parts.size() == 1) return parts[0];
  Expression e{Kind::choice};
  for (const RuleId part : parts) e.parts.push_back(part.value);
  return parts_->add(std::move(e));
}

RuleId GrammarBuilder::repeat(RuleId part, int min, std::optional<int> max) {
  const int most = parts_->limits.repetition;
  if (!parts_->fault && (min > most || max.value_or(0) > most))
    parts_->fault = Error{Code::too_large, fmt::format("grammar: {} repetitions, at most {} accepted; leave the bound out, or lower it",
                                                       std::max(min, max.value_or(0)), most)};
  if (!parts_->fault && (min < 0 || (max && *max < min)))
    parts_->fault = Error{Code::bad_input, fmt::format("grammar: at least {} and at most {} repetitions; nothing is both", min, *max)};
  Expression e{Kind::repeat};
  e.parts = {part.value};
  e.min = min, e.max = max ? *max : grammar::unlimited;
  return parts_->add(std::move(e));
}

RuleId GrammarBuilder::until(std::span<const std::string> stops) {
  Expression e{Kind::until};
  e.text = static_cast<std::uint32_t>(parts_->arena.stops.size());
  e.steps = 1;
  for (const std::string& stop : stops) {
    e.steps += stop.size();
    if (stop.empty() && !parts_->fault) parts_->fault = Error{Code::bad_input, "grammar: text up to an empty literal; give a literal"};
  }
  if (e.steps > 4096 && !parts_->fault)
    parts_->fault = Error{Code::too_large, "grammar: literals of more than 4096 bytes end a text; use shorter ones"};
  if (parts_->fault) return {0};
  parts_->arena.stops.emplace_back(stops.begin(), stops.end());
  return parts_->add(std::move(e));
}

RuleId GrammarBuilder::declare(std::string_view name) {
  if (parts_->fault) return {0};
  Expression e{Kind::declared};
  e.text = static_cast<std::uint32_t>(parts_->arena.declared.size());
  e.steps = 1;
  parts_->arena.declared.push_back({std::string(name), 0, false});
  return parts_->add(std::move(e));
}

void GrammarBuilder::define(RuleId declared, RuleId part) {
  if (parts_->fault) return;
  const Expression& e = parts_->arena.expressions[declared.value];
  QN_CHECK(e.kind == Kind::declared, "only what was declared is defined");
  grammar::Declared& d = parts_->arena.declared[e.text];
  QN_CHECK(!d.defined, "a declared part is defined once");
  ++parts_->arena.expressions[part.value].uses;
  d.definition = part.value, d.defined = true;
}

Result<SharedGrammar> GrammarBuilder::finish(RuleId root) {
  if (parts_->fault) return tl::unexpected<Error>(*parts_->fault);
  QN_OK(parts_->deadline.check());
  QN_TRY(auto automaton, grammar::link(parts_->arena, root.value, parts_->limits, parts_->deadline));
  return std::make_shared<const Grammar>(std::move(automaton));
}

}  // namespace qn::text
