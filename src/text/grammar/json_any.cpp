// Any JSON value. Made once for a builder: every use is a call of the same rules.
#include "text/grammar/builder_parts.h"
#include "text/grammar/json_text.h"

namespace qn::text {

RuleId GrammarBuilder::any_json() {
  if (const auto known = parts_->known.find("any"); known != parts_->known.end()) return known->second;
  const RuleId any = declare("any JSON value");
  parts_->known.emplace("any", any);
  const RuleId string = known_json("string");
  const RuleId object = grammar::json_object(*this, string, any);
  parts_->known.emplace("object", object);
  define(any, choice({object, grammar::json_array(*this, any), string, known_json("number"), literal("true"), literal("false"),
                      literal("null")}));
  return any;
}

RuleId GrammarBuilder::json_object() {
  any_json();
  return parts_->known.find("object")->second;
}

RuleId GrammarBuilder::known_json(std::string_view name) {
  if (const auto known = parts_->known.find(name); known != parts_->known.end()) return known->second;
  const RuleId part = name == "character" ? grammar::json_character(*this)
                      : name == "string"  ? grammar::json_string(*this)
                      : name == "integer" ? grammar::json_integer(*this)
                                          : grammar::json_number(*this);
  parts_->known.emplace(name, part);
  return part;
}

}  // namespace qn::text
