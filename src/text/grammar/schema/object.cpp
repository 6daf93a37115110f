// Objects and arrays. Properties come in the order in which the schema declares them; those that are not required may be left out.
#include <algorithm>

#include "base/utf8.h"
#include "text/grammar/json_text.h"
#include "text/grammar/schema/writer.h"
#include "text/grammar/utf8_ranges.h"

namespace qn::text::schema {

RuleId Writer::pair(std::string_view name, RuleId value) {
  return builder_.sequence({builder_.literal(grammar::json_quoted(name) + ":"), grammar::json_space(builder_), value});
}

// Any string that names none of these. Down to where it leaves them all it is written without escapes, so that no name hides in one.
RuleId Writer::key_except(const std::vector<Property>& properties) {
  struct Step {
    std::map<char32_t, std::size_t> next;
    bool name = false;
  };
  std::vector<Step> trie(1);
  for (const Property& property : properties) {
    std::size_t at = 0;
    for (std::string_view rest = property.name; !rest.empty();) {
      const utf8::Decoded c = utf8::decode(rest);
      rest.remove_prefix(static_cast<std::size_t>(c.bytes));
      const auto [next, added] = trie[at].next.try_emplace(c.code_point, trie.size());
      at = next->second;
      if (added) trie.emplace_back();
    }
    trie[at].name = true;
  }
  const RuleId quote = builder_.literal("\"");
  const RuleId free_end = builder_.sequence({builder_.repeat(grammar::json_character(builder_), 0), quote});
  std::vector<RuleId> ends(trie.size());  // children are younger than their parents
  for (std::size_t at = trie.size(); at-- > 0;) {
    std::vector<RuleId> ways;
    std::vector<CharRange> taken;
    if (!trie[at].name) ways.push_back(quote);
    for (const auto& [c, next] : trie[at].next) {
      const CharRange one{c, c};
      taken.push_back(one);
      ways.push_back(builder_.sequence({characters({&one, 1}), ends[next]}));
    }
    ways.push_back(builder_.sequence({characters(grammar::complement(taken)), free_end}));
    // Long names make deep tries: each step is a rule of its own.
    const RuleId end = builder_.declare("property name");
    builder_.define(end, builder_.choice(ways));
    ends[at] = end;
  }
  return builder_.sequence({quote, ends[0]});
}

// A pair that is not among the declared ones; none: there is no such.
Result<std::optional<RuleId>> Writer::write_additional(const Facts& facts, const std::vector<Property>& properties) {
  const bool closed = facts.additional && std::any_of(facts.additional->begin(), facts.additional->end(), [](const Place& place) {
                        return place.value->is_bool() && !place.value->get_bool();
                      });
  if (!facts.pattern_properties.empty()) {
    if (facts.additional && !closed)
      return fail(Code::unsupported, "{}: patternProperties beside additionalProperties; set additionalProperties to false", facts.path);
    if (facts.pattern_properties.size() > 1)
      return fail(Code::unsupported, "{}: several patternProperties may speak of one property; join them into one pattern", facts.path);
    if (!properties.empty())
      return fail(Code::unsupported, "{}: patternProperties beside properties; name the properties, or give a pattern for all of them",
                  facts.path);
    const Property& pattern = facts.pattern_properties[0];
    QN_TRY(const RuleId key, write_key_pattern(pattern.name, child_path(facts.path, "patternProperties")));
    QN_TRY(const RuleId value, write(pattern.part));
    return builder_.sequence({key, builder_.literal(":"), grammar::json_space(builder_), value});
  }
  if (closed || (!facts.additional && !properties.empty())) return std::optional<RuleId>();
  QN_TRY(const RuleId value, write(facts.additional.value_or(Part{})));
  const RuleId key = properties.empty() ? builder_.known_json("string") : key_except(properties);
  return builder_.sequence({key, builder_.literal(":"), grammar::json_space(builder_), value});
}

Result<RuleId> Writer::write_object(const Facts& facts) {
  std::vector<Property> properties = facts.properties;
  std::vector<bool> required(properties.size(), false);
  if (facts.pattern_properties.empty() || !facts.required.empty())
    for (const std::string& name : facts.required) {
      const auto at = std::find_if(properties.begin(), properties.end(), [&](const Property& p) { return p.name == name; });
      if (at != properties.end()) {
        required[static_cast<std::size_t>(at - properties.begin())] = true;
      } else {
        properties.push_back({name, facts.additional.value_or(Part{})});
        required.push_back(true);
      }
    }
  // What may not be there is not mentioned further.
  std::vector<Property> possible;
  std::vector<bool> still_required;
  std::vector<Property> named = properties;
  for (std::size_t i = 0; i < properties.size(); ++i) {
    const bool never = std::any_of(properties[i].part.begin(), properties[i].part.end(),
                                   [](const Place& p) { return p.value->is_bool() && !p.value->get_bool(); });
    if (never && !required[i]) continue;
    possible.push_back(properties[i]);
    still_required.push_back(required[i]);
  }
  if (facts.properties.empty() && facts.required.empty() && !facts.additional && facts.pattern_properties.empty() &&
      facts.min_properties == 0 && !facts.max_properties)
    return builder_.json_object();
  return write_pairs(facts, possible, still_required);
}

Result<RuleId> Writer::write_pairs(const Facts& facts, const std::vector<Property>& properties, const std::vector<bool>& required) {
  // All that are declared, those that may not be there among them, are out of bounds for further ones.
  std::vector<Property> named = properties;
  for (const Property& property : facts.properties)
    if (std::none_of(named.begin(), named.end(), [&](const Property& p) { return p.name == property.name; })) named.push_back(property);
  Facts open = facts;
  if (facts.properties.empty() && !facts.additional && facts.pattern_properties.empty())
    open.additional = Part{};  // only required names were given
  QN_TRY(const std::optional<RuleId> further, write_additional(open, named));
  const int needed = static_cast<int>(std::count(required.begin(), required.end(), true));
  const int declared = static_cast<int>(properties.size());
  int least = 0;
  std::optional<int> most;
  if (facts.min_properties > needed || facts.max_properties) {
    const bool holds = facts.min_properties <= needed && !further && *facts.max_properties >= declared;
    if (needed == declared) {
      least = std::max(0, facts.min_properties - needed);
      if (facts.max_properties) most = *facts.max_properties - needed;
      if (most.value_or(0) < 0 || (most && *most < least) || (least > 0 && !further)) return builder_.choice({});
    } else if (!holds) {
      return fail(Code::unsupported,
                  "{}: minProperties or maxProperties beside properties that may be left out; require them, or leave the bounds out",
                  facts.path);
    }
  }
  const RuleId comma = builder_.sequence({builder_.literal(","), grammar::json_space(builder_)});
  const auto more = [&](int min, std::optional<int> max) { return builder_.repeat(builder_.sequence({comma, *further}), min, max); };
  std::vector<RuleId> pairs;
  for (const Property& property : properties) {
    QN_TRY(const RuleId value, write(property.part));
    pairs.push_back(pair(property.name, value));
  }
  const auto first_required = static_cast<std::size_t>(std::find(required.begin(), required.end(), true) - required.begin());
  std::vector<RuleId> parts{builder_.literal("{")};
  if (first_required < pairs.size()) {
    // Before the first required one each brings the comma behind it, after it the comma before it.
    for (std::size_t i = 0; i < first_required; ++i) parts.push_back(builder_.optional(builder_.sequence({pairs[i], comma})));
    parts.push_back(pairs[first_required]);
    for (std::size_t i = first_required + 1; i < pairs.size(); ++i) {
      const RuleId next = builder_.sequence({comma, pairs[i]});
      parts.push_back(required[i] ? next : builder_.optional(next));
    }
    if (further) parts.push_back(more(least, most));
  } else {
    // None is required: whichever comes first has no comma, and the ones behind it may follow.
    std::optional<RuleId> behind;
    std::vector<RuleId> ways;
    if (further) {
      ways.push_back(
          builder_.sequence({*further, more(std::max(0, least - 1), most ? std::optional<int>(std::max(0, *most - 1)) : std::nullopt)}));
      behind = more(0, {});
    }
    for (std::size_t i = pairs.size(); i-- > 0;) {
      ways.push_back(behind ? builder_.sequence({pairs[i], *behind}) : pairs[i]);
      const RuleId next = builder_.optional(builder_.sequence({comma, pairs[i]}));
      const RuleId rest = builder_.declare(facts.path);
      builder_.define(rest, behind ? builder_.sequence({next, *behind}) : next);
      behind = rest;
    }
    if (most && *most == 0) ways.clear();
    const RuleId some = builder_.choice(ways);
    parts.push_back(least > 0 ? some : builder_.optional(some));
  }
  parts.push_back(builder_.literal("}"));
  return builder_.sequence(parts);
}

Result<RuleId> Writer::write_array(const Facts& facts) {
  const int min = facts.min_items;
  const std::optional<int> max = facts.max_items;
  if (max && *max < min) return builder_.choice({});
  std::vector<RuleId> prefix;
  for (const Part& part : facts.prefix_items) {
    if (max && static_cast<int>(prefix.size()) >= *max) break;
    QN_TRY(const RuleId item, write(part));
    prefix.push_back(item);
  }
  const int count = static_cast<int>(prefix.size());
  QN_TRY(const RuleId item, write(facts.items.value_or(Part{})));
  const RuleId comma = builder_.sequence({builder_.literal(","), grammar::json_space(builder_)});
  // rest: what may stand behind the first i items.
  const int first_free = std::max(1, count);
  RuleId rest = builder_.repeat(builder_.sequence({comma, item}), std::max(0, min - first_free),
                                max ? std::optional<int>(std::max(0, *max - first_free)) : std::nullopt);
  for (int i = count - 1; i >= 1; --i) {
    const RuleId longer = builder_.sequence({comma, prefix[static_cast<std::size_t>(i)], rest});
    rest = i < min ? longer : builder_.optional(longer);
  }
  RuleId items = builder_.sequence({count > 0 ? prefix[0] : item, rest});
  if (max && *max == 0)
    items = builder_.sequence({});
  else if (min == 0)
    items = builder_.optional(items);
  return builder_.sequence({builder_.literal("["), items, builder_.literal("]")});
}

}  // namespace qn::text::schema
