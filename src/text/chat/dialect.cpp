// The table of dialects, and what all of them share.
#include "text/chat/dialect.h"

#include <algorithm>
#include <array>

#include "text/chat/dialects/entry.h"

namespace qn::text {

#define QN_DIALECT(name) extern const DialectEntry dialect_##name;
#include "text/dialect_table.inc"
#undef QN_DIALECT

namespace {

const DialectEntry* const entries[] = {
#define QN_DIALECT(name) &dialect_##name,
#include "text/dialect_table.inc"
#undef QN_DIALECT
};

constexpr ThinkTags known_tags[] = {{"<think>", "</think>"}, {"<seed:think>", "</seed:think>"}, {"[THINK]", "[/THINK]"}};

// The tags that the template writes, else those that the vocabulary has as tokens.
ThinkTags tags_of(const TemplateFacts& facts, ThinkTags otherwise) {
  for (const ThinkTags& tags : known_tags)
    if (facts.writes(tags.close)) return tags;
  for (const ThinkTags& tags : known_tags)
    if (facts.has_token(tags.close)) return tags;
  return otherwise;
}

bool lists(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t space = names.find(' ');
    if (names.substr(0, space) == name) return true;
    names.remove_prefix(space == std::string_view::npos ? names.size() : space + 1);
  }
  return false;
}

Dialect plain(const TemplateFacts& facts) {
  Dialect dialect{.name = "plain"};
  dialect.think = tags_of(facts, dialect.think);
  return dialect;
}

Dialect made_by(const DialectEntry& entry, const TemplateFacts& facts) {
  Dialect dialect = entry.make(facts);
  dialect.think = tags_of(facts, dialect.think);
  return dialect;
}

const json::Value* member(const json::Object& object, std::string_view key) {
  return object.if_contains(key);
}

}  // namespace

std::vector<std::string_view> Dialect::marks() const {
  std::vector<std::string_view> all = {think.open, think.close};
  const auto take = [&all](const std::vector<Step>& steps) {
    for (const Step& step : steps)
      if (step.kind == Step::Kind::text && std::find(all.begin(), all.end(), step.text) == all.end()) all.push_back(step.text);
  };
  for (const CallForm& form : forms) {
    take(form.open);
    take(form.call);
    take(form.between);
    take(form.close);
  }
  return all;
}

Dialect find_dialect(std::string_view template_source, const std::function<bool(std::string_view)>& has_token) {
  const TemplateFacts facts{template_source, has_token};
  for (const DialectEntry* entry : entries)
    if (entry->recognises(facts)) return made_by(*entry, facts);
  return plain(facts);
}

Result<Dialect> dialect_named(std::string_view name, std::string_view template_source,
                              const std::function<bool(std::string_view)>& has_token) {
  const TemplateFacts facts{template_source, has_token};
  if (name == "plain") return plain(facts);
  std::string known;
  for (const DialectEntry* entry : entries) {
    if (lists(entry->names, name)) return made_by(*entry, facts);
    known += std::string(entry->names) + " ";
  }
  return fail(Code::bad_input, "tool call parser {}: not known; take one of {}or plain, or none, as the template says it", quoted(name),
              known);
}

std::string make_call_id(CallIds ids, std::uint64_t random) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string out = ids == CallIds::prefixed ? "call_" : "";
  // splitmix64: neighbours in, strangers out.
  random += 0x9e3779b97f4a7c15;
  random = (random ^ (random >> 30)) * 0xbf58476d1ce4e5b9;
  random = (random ^ (random >> 27)) * 0x94d049bb133111eb;
  random ^= random >> 31;
  for (int left = ids == CallIds::prefixed ? 8 : 9; left > 0; --left) {
    out += letters[random % letters.size()];
    random /= letters.size();
  }
  return out;
}

Result<std::vector<Tool>> read_tools(const json::Array& tools) {
  std::vector<Tool> out;
  out.reserve(tools.size());
  for (const json::Value& value : tools) {
    const std::size_t index = out.size();
    const json::Object* tool = value.if_object();
    if (tool == nullptr) return fail(Code::bad_input, "tools[{}]: expected an object", index);
    if (const json::Value* type = member(*tool, "type"); type != nullptr && member(*tool, "function") != nullptr)
      if (!type->is_string() || type->as_string() != "function")
        return fail(Code::bad_input, "tools[{}].type: expected \"function\", which is the only kind there is", index);
    const json::Object* function = tool;
    if (const json::Value* inner = member(*tool, "function")) {
      function = inner->if_object();
      if (function == nullptr) return fail(Code::bad_input, "tools[{}].function: expected an object", index);
    }
    const json::Value* name = member(*function, "name");
    if (name == nullptr || !name->is_string() || name->as_string().empty() || name->as_string().size() > 256)
      return fail(Code::bad_input, "tools[{}].function.name: expected a string of 1 to 256 bytes", index);
    Tool read{.name = std::string(name->as_string())};
    for (const Tool& other : out)
      if (other.name == read.name) return fail(Code::bad_input, "tools[{}].function.name: {} is there twice", index, quoted(read.name));
    if (const json::Value* parameters = member(*function, "parameters"); parameters != nullptr && !parameters->is_null()) {
      if (!parameters->is_object()) return fail(Code::bad_input, "tools[{}].function.parameters: expected a JSON Schema, an object", index);
      read.parameters = *parameters;
    }
    out.push_back(std::move(read));
  }
  return out;
}

}  // namespace qn::text
