#include "text/grammar/schema/writer.h"

#include <algorithm>

#include "text/grammar/builder_parts.h"
#include "text/grammar/json_text.h"
#include "text/grammar/state_table.h"

namespace qn::text {
namespace schema {
namespace {

constexpr int most_combinations = 4096;

unsigned type_of(const json::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::null: return null_type;
    case boost::json::kind::bool_: return boolean;
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return integer;
    case boost::json::kind::double_:
      return value.get_double() == static_cast<double>(static_cast<std::int64_t>(std::clamp(value.get_double(), -9e18, 9e18))) ? integer
                                                                                                                               : fraction;
    case boost::json::kind::string: return string;
    case boost::json::kind::array: return array;
    case boost::json::kind::object: return object;
  }
  return 0;
}

}  // namespace

Writer::Writer(GrammarBuilder& builder, const json::Value& document, const GrammarLimits& limits, grammar::Deadline& deadline)
    : builder_(builder), document_(document), limits_(limits), deadline_(deadline), reader_(document, limits.depth) {}

// The same schemas make the same part, wherever they are used; one that is used while it is written is declared, and defined when it is
// done.
Result<RuleId> Writer::write(const Part& part) {
  if (part.empty()) return builder_.any_json();
  QN_OK(deadline_.check());
  std::vector<const json::Value*> key;
  for (const Place& place : part) key.push_back(place.value);
  std::sort(key.begin(), key.end());
  key.erase(std::unique(key.begin(), key.end()), key.end());
  const auto [at, added] = known_.try_emplace(key);
  std::optional<RuleId>& known = at->second;
  if (!added) {
    if (!known) known = builder_.declare(part[0].path);
    return *known;
  }
  if (++depth_ > limits_.depth)
    return fail(Code::too_large, "{}: schemas nested more than {} deep; move inner ones to $defs and refer to them", part[0].path,
                limits_.depth);
  Facts facts;
  QN_OK(reader_.read(part, facts));
  QN_TRY(const RuleId made, facts.alternatives.empty() ? write_facts(std::move(facts)) : write_alternatives(part, std::move(facts)));
  --depth_;
  if (known)
    builder_.define(*known, made);
  else
    known = made;
  return *known;
}

// Every alternative of one anyOf is joined with everything else that was said.
Result<RuleId> Writer::write_alternatives(const Part& part, Facts facts) {
  // The other keywords, without this anyOf: each alternative is read on top of them.
  const Alternatives chosen = facts.alternatives.back();
  Facts others = std::move(facts);
  others.alternatives.pop_back();
  if (chosen.exactly_one) {
    for (std::size_t i = 0; i < chosen.places.size(); ++i)
      for (std::size_t j = i + 1; j < chosen.places.size(); ++j) {
        if (++combinations_ > most_combinations)
          return fail(Code::too_large, "{}: too many alternatives to compare; use anyOf", chosen.path);
        QN_TRY(const bool apart, disjoint({chosen.places[i]}, {chosen.places[j]}, 0));
        if (!apart)
          return fail(Code::unsupported,
                      "{}: alternatives {} and {} may both hold, so that exactly one cannot be enforced; use anyOf, or give them a "
                      "property with different const",
                      chosen.path, i, j);
      }
  }
  const bool alone = others.alternatives.empty() && others.types == any_type && !others.values && !others.constrains_values();
  std::vector<RuleId> ways;
  for (const Place& place : chosen.places) {
    if (++combinations_ > most_combinations)
      return fail(Code::too_large, "{}: more than {} combinations of alternatives; use fewer", chosen.path, most_combinations);
    if (alone) {
      QN_TRY(const RuleId way, write({place}));
      ways.push_back(way);
      continue;
    }
    Facts joined = others;
    QN_OK(reader_.read({place}, joined));
    if (joined.types == 0) continue;
    if (++depth_ > limits_.depth)
      return fail(Code::too_large, "{}: alternatives nested more than {} deep; use fewer", chosen.path, limits_.depth);
    QN_TRY(const RuleId way, joined.alternatives.empty() ? write_facts(std::move(joined)) : write_alternatives(part, std::move(joined)));
    --depth_;
    ways.push_back(way);
  }
  return builder_.choice(ways);
}

Result<RuleId> Writer::write_facts(Facts facts) {
  if (!facts.values) return write_types(facts);
  std::erase_if(*facts.values, [&](const json::Value* value) { return (type_of(*value) & facts.types) == 0; });
  return write_values(facts);
}

// Of the values in an enum those that the other keywords allow: these are compiled by themselves and tried on each.
Result<RuleId> Writer::write_values(const Facts& facts) {
  std::vector<const json::Value*> values = *facts.values;
  if (facts.constrains_values()) {
    GrammarBuilder builder(limits_);
    Writer rest(builder, document_, limits_, deadline_);
    Facts others = facts;
    others.values.reset();
    QN_TRY(const RuleId root, rest.write_types(others));
    const auto grammar = builder.finish(root);
    if (!grammar) values.clear();
    std::erase_if(values, [&](const json::Value* value) {
      grammar::StateTable table((*grammar)->automaton());
      grammar::StateIndex state = table.start();
      for (const char byte : json::print(*value)) state = table.step(state, static_cast<std::uint8_t>(byte));
      return !table.may_end(state);
    });
  }
  std::vector<RuleId> forms;
  for (const json::Value* value : values) forms.push_back(literal_value(*value));
  return builder_.choice(forms);
}

Result<RuleId> Writer::write_types(const Facts& facts) {
  if (facts.types == any_type && !facts.constrains_values()) return builder_.any_json();
  std::vector<RuleId> forms;
  if ((facts.types & object) != 0) {
    QN_TRY(const RuleId form, write_object(facts));
    forms.push_back(form);
  }
  if ((facts.types & array) != 0) {
    QN_TRY(const RuleId form, write_array(facts));
    forms.push_back(form);
  }
  if ((facts.types & string) != 0) {
    QN_TRY(const RuleId form, write_string(facts));
    forms.push_back(form);
  }
  if ((facts.types & number) != 0) {
    if (facts.format && (facts.types & string) == 0 && !is_number_format(*facts.format))
      return fail(Code::unsupported, "{}: format {} says nothing about numbers; leave it out", facts.path, quoted(*facts.format));
    QN_TRY(const RuleId form, (facts.types & fraction) != 0 ? write_number(builder_, facts) : write_integer(builder_, facts));
    forms.push_back(form);
  }
  if ((facts.types & boolean) != 0) forms.push_back(builder_.literal("true")), forms.push_back(builder_.literal("false"));
  if ((facts.types & null_type) != 0) forms.push_back(builder_.literal("null"));
  return builder_.choice(forms);
}

RuleId Writer::literal_value(const json::Value& value) {
  if (value.is_array()) {
    std::vector<RuleId> parts{builder_.literal("[")};
    for (const json::Value& item : value.get_array()) {
      if (parts.size() > 1) parts.push_back(builder_.literal(",")), parts.push_back(grammar::json_space(builder_));
      parts.push_back(literal_value(item));
    }
    parts.push_back(builder_.literal("]"));
    return builder_.sequence(parts);
  }
  if (value.is_object()) {
    std::vector<RuleId> parts{builder_.literal("{")};
    for (const auto& [name, item] : value.get_object()) {
      if (parts.size() > 1) parts.push_back(builder_.literal(",")), parts.push_back(grammar::json_space(builder_));
      parts.push_back(pair(name, literal_value(item)));
    }
    parts.push_back(builder_.literal("}"));
    return builder_.sequence(parts);
  }
  return builder_.literal(json::print(value));
}

RuleId Writer::characters(std::span<const CharRange> ranges) {
  std::vector<char32_t> key;
  for (const CharRange& range : ranges) key.push_back(range.first), key.push_back(range.last);
  const auto at = character_parts_.find(key);
  if (at != character_parts_.end()) return at->second;
  const RuleId made = grammar::json_characters(builder_, ranges);
  character_parts_.emplace(std::move(key), made);
  return made;
}

// Whether no value can satisfy both. False where that is not plain to see.
Result<bool> Writer::disjoint(const Part& a, const Part& b, int depth) {
  Facts x, y;
  QN_OK(reader_.read(a, x));
  QN_OK(reader_.read(b, y));
  if (x.values)
    x.types &= [&] {
      unsigned t = 0;
      for (const auto* v : *x.values) t |= type_of(*v);
      return t;
    }();
  if (y.values)
    y.types &= [&] {
      unsigned t = 0;
      for (const auto* v : *y.values) t |= type_of(*v);
      return t;
    }();
  const unsigned shared = x.types & y.types;
  if (shared == 0) return true;
  if (x.values && y.values)
    return std::none_of(x.values->begin(), x.values->end(), [&](const json::Value* v) {
      return std::any_of(y.values->begin(), y.values->end(), [&](const json::Value* w) { return *v == *w; });
    });
  for (const auto& [facts, other] : {std::pair(&x, &b), std::pair(&y, &a)})
    for (const Alternatives& either : facts->alternatives) {
      if (depth > 3 || either.places.size() > 32) continue;
      bool all = true;
      for (const Place& place : either.places) {
        QN_TRY(const bool apart, disjoint({place}, *other, depth + 1));
        all = all && apart;
      }
      if (all) return true;
    }
  if (shared == object && depth < 4) {
    const auto requires_property = [](const Facts& f, const std::string& name) {
      return std::find(f.required.begin(), f.required.end(), name) != f.required.end();
    };
    const auto find = [](const Facts& f, const std::string& name) {
      return std::find_if(f.properties.begin(), f.properties.end(), [&](const Property& p) { return p.name == name; });
    };
    for (const auto& [one, other] : {std::pair(&x, &y), std::pair(&y, &x)})
      for (const std::string& name : one->required) {
        const auto mine = find(*one, name), theirs = find(*other, name);
        if (theirs == other->properties.end()) {
          const bool closed = other->additional && other->additional->size() == 1 && (*other->additional)[0].value->is_bool() &&
                              !(*other->additional)[0].value->get_bool();
          if (closed && other->pattern_properties.empty()) return true;
        } else if (mine != one->properties.end() && requires_property(*other, name)) {
          QN_TRY(const bool apart, disjoint(mine->part, theirs->part, depth + 1));
          if (apart) return true;
        }
      }
  }
  return false;
}

}  // namespace schema

Result<RuleId> GrammarBuilder::json_schema(const json::Value& schema, std::string_view where) {
  schema::Writer writer(*this, schema, parts_->limits, parts_->deadline);
  QN_TRY(const RuleId made, writer.write({{&schema, std::string(where)}}));
  if (parts_->fault) return tl::unexpected<Error>(Error{parts_->fault->code, fmt::format("{}: {}", where, parts_->fault->message)});
  return made;
}

}  // namespace qn::text
