#include <algorithm>
#include <array>
#include <cmath>

#include "text/grammar/schema/decimal.h"
#include "text/grammar/schema/facts.h"

namespace qn::text::schema {
namespace {

// Annotations: they say nothing about which values are valid.
constexpr std::string_view ignored[] = {"title",
                                        "description",
                                        "default",
                                        "examples",
                                        "example",
                                        "$comment",
                                        "deprecated",
                                        "readOnly",
                                        "writeOnly",
                                        "$schema",
                                        "$id",
                                        "$defs",
                                        "definitions",
                                        "$anchor",
                                        "$vocabulary",
                                        "contentEncoding",
                                        "contentMediaType",
                                        "contentSchema",
                                        "discriminator",
                                        "externalDocs",
                                        "xml",
                                        "propertyOrdering",
                                        "strict",
                                        "then",
                                        "else",
                                        "additionalItems",
                                        "name"};

// Keywords that restrict values in a way that is not offered.
constexpr std::string_view refused[] = {"not",
                                        "if",
                                        "contains",
                                        "minContains",
                                        "maxContains",
                                        "dependentRequired",
                                        "dependentSchemas",
                                        "dependencies",
                                        "propertyNames",
                                        "unevaluatedItems",
                                        "unevaluatedProperties",
                                        "$dynamicRef",
                                        "$recursiveRef"};

constexpr int most_reads = 200'000;

struct TypeName {
  std::string_view name;
  unsigned types;
};
constexpr TypeName type_names[] = {{"null", null_type}, {"boolean", boolean}, {"integer", integer}, {"number", number},
                                   {"string", string},  {"array", array},     {"object", object},   {"any", any_type}};

template <class... Args>
tl::unexpected<Error> bad(const std::string& path, fmt::format_string<Args...> text, Args&&... args) {
  return fail(Code::bad_input, "{}: {}", path, fmt::format(text, std::forward<Args>(args)...));
}

Result<unsigned> read_type(const json::Value& value, const std::string& path) {
  if (value.is_string()) {
    for (const TypeName& known : type_names)
      if (value.as_string() == known.name) return known.types;
    return bad(path, "{} is no type; expected null, boolean, integer, number, string, array or object", quoted(value.as_string()));
  }
  if (!value.is_array() || value.get_array().empty()) return bad(path, "expected a type or a list of types");
  unsigned types = 0;
  for (const json::Value& one : value.get_array()) {
    if (!one.is_string()) return bad(path, "expected a list of type names");
    QN_TRY(const unsigned type, read_type(one, path));
    types |= type;
  }
  return types;
}

Result<int> read_count(const json::Value& value, const std::string& path) {
  const double number = value.is_int64()    ? static_cast<double>(value.get_int64())
                        : value.is_double() ? value.get_double()
                        : value.is_uint64() ? 2e9
                                            : -1;
  if (number < 0 || number != std::floor(number)) return bad(path, "expected an integer that is not negative");
  return static_cast<int>(std::min(number, 2e9));
}

Result<bool> read_bool(const json::Value& value, const std::string& path) {
  if (!value.is_bool()) return bad(path, "expected true or false");
  return value.get_bool();
}

Result<Part> read_part(const json::Value& value, const std::string& path) {
  if (!value.is_object() && !value.is_bool()) return bad(path, "expected a schema: an object, true or false");
  return Part{{&value, path}};
}

Result<std::vector<Place>> read_places(const json::Value& value, const std::string& path) {
  if (!value.is_array() || value.get_array().empty()) return bad(path, "expected a list of schemas, at least one");
  std::vector<Place> places;
  for (std::size_t i = 0; i < value.get_array().size(); ++i) {
    QN_TRY(Part part, read_part(value.get_array()[i], child_path(path, i)));
    places.push_back(std::move(part[0]));
  }
  return places;
}

void add_to(Part& part, const Part& more) {
  part.insert(part.end(), more.begin(), more.end());
}

void intersect(Facts& facts, const std::vector<const json::Value*>& values) {
  if (!facts.values) {
    facts.values = values;
    return;
  }
  std::erase_if(*facts.values, [&](const json::Value* have) {
    return std::none_of(values.begin(), values.end(), [&](const json::Value* value) { return *value == *have; });
  });
}

// The greater of two lower bounds (sign 1), or the smaller of two upper ones (sign -1).
void tighten(std::optional<Bound>& have, Bound bound, int sign) {
  if (!have) {
    have = std::move(bound);
    return;
  }
  const int order = compare_decimals(bound.digits, have->digits) * sign;
  if (order > 0 || (order == 0 && bound.exclusive)) have = std::move(bound);
}

// What only one of the two schemas says of a property is joined by what the other demands of those that it does not name.
void add_properties(Facts& facts, std::vector<Property> properties, const std::optional<Part>& additional) {
  for (Property& known : facts.properties) {
    const auto same = std::find_if(properties.begin(), properties.end(), [&](const Property& p) { return p.name == known.name; });
    if (same != properties.end())
      add_to(known.part, same->part);
    else if (additional)
      add_to(known.part, *additional);
  }
  const std::size_t before = facts.properties.size();
  for (Property& property : properties) {
    const auto same = std::find_if(facts.properties.begin(), facts.properties.begin() + static_cast<std::ptrdiff_t>(before),
                                   [&](const Property& p) { return p.name == property.name; });
    if (same != facts.properties.begin() + static_cast<std::ptrdiff_t>(before)) continue;
    if (facts.additional) add_to(property.part, *facts.additional);
    facts.properties.push_back(std::move(property));
  }
  if (additional) {
    if (!facts.additional) facts.additional.emplace();
    add_to(*facts.additional, *additional);
  }
}

void add_items(Facts& facts, std::vector<Part> prefix, const std::optional<Part>& items) {
  const std::size_t longest = std::max(prefix.size(), facts.prefix_items.size());
  for (std::size_t i = 0; i < longest; ++i) {
    if (i >= facts.prefix_items.size()) facts.prefix_items.push_back(facts.items.value_or(Part{}));
    if (i < prefix.size())
      add_to(facts.prefix_items[i], prefix[i]);
    else if (items)
      add_to(facts.prefix_items[i], *items);
  }
  if (items) {
    if (!facts.items) facts.items.emplace();
    add_to(*facts.items, *items);
  }
}

}  // namespace

std::string child_path(const std::string& path, std::string_view key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return c == '$' || c == '_' || c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  });
  if (path.size() > 1000) return path;  // deep enough to find it
  return plain ? fmt::format("{}.{}", path, key) : fmt::format("{}[{}]", path, quoted(key));
}

std::string child_path(const std::string& path, std::size_t index) {
  return path.size() > 1000 ? path : fmt::format("{}[{}]", path, index);
}

bool Facts::constrains_values() const {
  return !alternatives.empty() || minimum || maximum || multiple_of || min_length > 0 || max_length || !patterns.empty() || format ||
         min_items > 0 || max_items || !prefix_items.empty() || items || !properties.empty() || !required.empty() || additional ||
         !pattern_properties.empty() || min_properties > 0 || max_properties;
}

Status Reader::read(const Part& part, Facts& facts, int depth) {
  for (const Place& place : part) {
    if (facts.path.empty()) facts.path = place.path;
    if (depth > most_depth_)
      return fail(Code::too_large, "{}: $ref and allOf lead more than {} deep; check for one that leads to itself", place.path,
                  most_depth_);
    if (++reads_ > most_reads)
      return fail(Code::too_large, "{}: $ref, allOf and anyOf lead to more than {} schemas; use fewer", place.path, most_reads);
    if (place.value->is_bool()) {
      if (!place.value->get_bool()) facts.types = 0;
      continue;
    }
    if (!place.value->is_object()) return bad(place.path, "expected a schema: an object, true or false");
    QN_OK(read_object(place.value->get_object(), place.path, facts, depth));
  }
  return {};
}

Status Reader::read_object(const json::Object& schema, const std::string& path, Facts& facts, int depth) {
  std::vector<Property> properties;
  std::optional<Part> additional, items;
  std::vector<Part> prefix;
  for (const auto& [key, value] : schema) {
    const std::string here = child_path(path, key);
    if (key == "properties" || key == "patternProperties") {
      if (!value.is_object()) return bad(here, "expected an object of schemas");
      for (const auto& [name, subschema] : value.get_object()) {
        QN_TRY(Part part, read_part(subschema, child_path(here, name)));
        (key == "properties" ? properties : facts.pattern_properties).push_back({std::string(name), std::move(part)});
      }
    } else if (key == "additionalProperties") {
      QN_TRY(additional, read_part(value, here));
    } else if (key == "prefixItems" || (key == "items" && value.is_array())) {
      if (!value.is_array()) return bad(here, "expected a list of schemas");
      for (const json::Value& one : value.get_array()) {
        QN_TRY(Part part, read_part(one, child_path(here, prefix.size())));
        prefix.push_back(std::move(part));
      }
      if (const auto* more = schema.if_contains("additionalItems"); key == "items" && more != nullptr) {
        QN_TRY(items, read_part(*more, child_path(path, "additionalItems")));
      }
    } else if (key == "items") {
      QN_TRY(items, read_part(value, here));
    } else {
      QN_OK(read_keyword(key, value, here, schema, facts, depth));
    }
  }
  add_properties(facts, std::move(properties), additional);
  add_items(facts, std::move(prefix), items);
  return {};
}

Status Reader::read_keyword(std::string_view key, const json::Value& value, const std::string& path, const json::Object& schema,
                            Facts& facts, int depth) {
  if (key == "type") {
    QN_TRY(unsigned types, read_type(value, path));
    if (const auto* nullable = schema.if_contains("nullable"); nullable != nullptr && nullable->is_bool() && nullable->get_bool())
      types |= null_type;
    facts.types &= types;
    return {};
  }
  if (key == "nullable") return read_bool(value, path).map([](bool) {});
  if (key == "$ref") {
    if (!value.is_string()) return bad(path, "expected a string");
    QN_TRY(Place target, resolve(value.get_string(), path));
    return read({std::move(target)}, facts, depth + 1);
  }
  if (key == "allOf") {
    QN_TRY(const std::vector<Place> places, read_places(value, path));
    return read(places, facts, depth + 1);
  }
  if (key == "anyOf" || key == "oneOf") {
    QN_TRY(std::vector<Place> places, read_places(value, path));
    facts.alternatives.push_back({std::move(places), key == "oneOf", path});
    return {};
  }
  if (key == "enum") {
    if (!value.is_array() || value.get_array().empty()) return bad(path, "expected a list of values, at least one");
    std::vector<const json::Value*> values;
    for (const json::Value& one : value.get_array()) values.push_back(&one);
    intersect(facts, values);
    return {};
  }
  if (key == "const") return intersect(facts, {&value}), Status{};
  if (key == "minimum" || key == "maximum" || key == "exclusiveMinimum" || key == "exclusiveMaximum") {
    const bool lower = key.ends_with("inimum");
    if (value.is_bool() && key.starts_with("exclusive")) {  // draft 4: it speaks of the other keyword
      if (!value.get_bool()) return {};
      const auto* bound = schema.if_contains(lower ? "minimum" : "maximum");
      if (bound == nullptr) return bad(path, "true without a {}", lower ? "minimum" : "maximum");
      QN_TRY(std::string digits, decimal_text(*bound, path));
      return tighten(lower ? facts.minimum : facts.maximum, {std::move(digits), true}, lower ? 1 : -1), Status{};
    }
    QN_TRY(std::string digits, decimal_text(value, path));
    return tighten(lower ? facts.minimum : facts.maximum, {std::move(digits), key.starts_with("exclusive")}, lower ? 1 : -1), Status{};
  }
  if (key == "multipleOf") {
    QN_TRY(std::string digits, decimal_text(value, path));
    if (digits.starts_with("-") || compare_decimals(digits, "0") == 0) return bad(path, "expected a number above 0");
    if (facts.multiple_of && *facts.multiple_of != digits)
      return fail(Code::unsupported, "{}: two different multipleOf for one value; keep one", path);
    facts.multiple_of = std::move(digits);
    return {};
  }
  struct Count {
    std::string_view key;
    int* least;
    std::optional<int>* most;
  };
  const Count counts[] = {{"minLength", &facts.min_length, nullptr},         {"maxLength", nullptr, &facts.max_length},
                          {"minItems", &facts.min_items, nullptr},           {"maxItems", nullptr, &facts.max_items},
                          {"minProperties", &facts.min_properties, nullptr}, {"maxProperties", nullptr, &facts.max_properties}};
  for (const Count& count : counts) {
    if (key != count.key) continue;
    QN_TRY(const int number, read_count(value, path));
    if (count.least != nullptr)
      *count.least = std::max(*count.least, number);
    else
      *count.most = count.most->has_value() ? std::min(**count.most, number) : number;
    return {};
  }
  if (key == "pattern") {
    if (!value.is_string()) return bad(path, "expected a string");
    const std::string pattern(value.get_string());
    if (std::find(facts.patterns.begin(), facts.patterns.end(), pattern) == facts.patterns.end()) facts.patterns.push_back(pattern);
    return {};
  }
  if (key == "format") {
    if (!value.is_string()) return bad(path, "expected a string");
    if (facts.format && *facts.format != value.get_string())
      return fail(Code::unsupported, "{}: two different formats for one value; keep one", path);
    facts.format = std::string(value.get_string());
    return {};
  }
  if (key == "required") {
    if (value.is_bool()) return {};  // draft 3, on a property: an annotation since
    if (!value.is_array()) return bad(path, "expected a list of property names");
    for (const json::Value& name : value.get_array()) {
      if (!name.is_string()) return bad(path, "expected a list of property names");
      const std::string text(name.get_string());
      if (std::find(facts.required.begin(), facts.required.end(), text) == facts.required.end()) facts.required.push_back(text);
    }
    return {};
  }
  if (key == "uniqueItems") {
    QN_TRY(const bool unique, read_bool(value, path));
    if (!unique) return {};
    return fail(Code::unsupported, "{}: uniqueItems cannot be enforced while a reply is written; leave it out", path);
  }
  if (std::find(std::begin(ignored), std::end(ignored), key) != std::end(ignored) || key.starts_with("x-")) return {};
  if (std::find(std::begin(refused), std::end(refused), key) != std::end(refused))
    return fail(Code::unsupported, "{}: the keyword {} is not supported; express it with anyOf, enum or pattern, or leave it out", path,
                key);
  return fail(Code::unsupported, "{}: unknown keyword {}; check its spelling, or put x- before it if it only informs", path, quoted(key));
}

// A pointer into this document, or the name of an $anchor in it.
Result<Place> Reader::resolve(std::string_view reference, const std::string& path) {
  if (!reference.starts_with("#"))
    return fail(Code::unsupported, "{}: {} refers to another document; put the schema under $defs and refer to it as #/$defs/name", path,
                quoted(reference));
  const json::Value* at = &document_;
  std::string pointer;
  for (std::size_t i = 1; i < reference.size(); ++i) {
    const auto hex = [&](std::size_t k) {
      const char c = k < reference.size() ? reference[k] : ' ';
      return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
    };
    if (reference[i] == '%' && hex(i + 1) >= 0 && hex(i + 2) >= 0) {
      pointer.push_back(static_cast<char>(hex(i + 1) * 16 + hex(i + 2)));
      i += 2;
    } else {
      pointer.push_back(reference[i]);
    }
  }
  if (!pointer.empty() && pointer[0] != '/') {
    if (!anchors_found_) {
      anchors_found_ = true;
      std::vector<const json::Value*> todo{&document_};
      while (!todo.empty()) {
        const json::Value* value = todo.back();
        todo.pop_back();
        if (value->is_array())
          for (const json::Value& inner : value->get_array()) todo.push_back(&inner);
        if (!value->is_object()) continue;
        for (const auto& [key, inner] : value->get_object()) todo.push_back(&inner);
        if (const auto* anchor = value->get_object().if_contains("$anchor"); anchor != nullptr && anchor->is_string())
          anchors_.emplace(std::string(anchor->get_string()), value);
      }
    }
    const auto anchor = anchors_.find(pointer);
    if (anchor == anchors_.end()) return bad(path, "{} names no $anchor of this schema; check its spelling", quoted(reference));
    return Place{anchor->second, path};
  }
  for (std::size_t begin = 0; begin < pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', begin + 1), pointer.size());
    std::string step = pointer.substr(begin + 1, end - begin - 1);
    for (std::size_t tilde = step.find('~'); tilde != std::string::npos; tilde = step.find('~', tilde + 1))
      if (tilde + 1 < step.size() && (step[tilde + 1] == '0' || step[tilde + 1] == '1'))
        step.replace(tilde, 2, step[tilde + 1] == '0' ? "~" : "/");
    const json::Value* next = nullptr;
    if (at->is_object()) next = at->get_object().if_contains(step);
    if (at->is_array() && !step.empty() && step.size() < 9 &&
        std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      const auto index = static_cast<std::size_t>(std::stoul(step));
      if (index < at->get_array().size()) next = &at->get_array()[index];
    }
    if (next == nullptr) return bad(path, "{} leads to nothing in this schema; check its spelling", quoted(reference));
    at = next;
    begin = end;
  }
  return Place{at, path};
}

}  // namespace qn::text::schema
