// A JSON Schema as parts of a grammar. Facts are read where they are written, type by type; what cannot be enforced is an error.
#pragma once

#include <map>
#include <set>

#include "text/grammar/deadline.h"
#include "text/grammar/grammar.h"
#include "text/grammar/schema/facts.h"

namespace qn::text::schema {

class Writer {
 public:
  Writer(GrammarBuilder& builder, const json::Value& document, const GrammarLimits& limits, grammar::Deadline& deadline);

  Result<RuleId> write(const Part& part);

 private:
  Result<RuleId> write_facts(Facts facts);
  Result<RuleId> write_alternatives(const Part& part, Facts facts);
  Result<RuleId> write_types(const Facts& facts);
  Result<RuleId> write_values(const Facts& facts);
  Result<RuleId> write_string(const Facts& facts);
  Result<RuleId> write_array(const Facts& facts);
  Result<RuleId> write_object(const Facts& facts);
  Result<RuleId> write_pairs(const Facts& facts, const std::vector<Property>& properties, const std::vector<bool>& required);
  Result<std::optional<RuleId>> write_additional(const Facts& facts, const std::vector<Property>& properties);
  RuleId literal_value(const json::Value& value);
  RuleId pair(std::string_view name, RuleId value);
  RuleId key_except(const std::vector<Property>& properties);
  Result<RuleId> write_key_pattern(const std::string& pattern, const std::string& where);
  Result<RuleId> write_patterns(const std::vector<std::string>& patterns, const std::string& where, const Facts& facts);
  RuleId characters(std::span<const CharRange> ranges);
  Result<bool> disjoint(const Part& a, const Part& b, int depth);

  GrammarBuilder& builder_;
  const json::Value& document_;
  const GrammarLimits& limits_;
  grammar::Deadline& deadline_;
  Reader reader_;
  int depth_ = 0;
  int combinations_ = 0;                                                    // of alternatives, over the whole schema
  std::map<std::vector<const json::Value*>, std::optional<RuleId>> known_;  // none: being written, and not yet found to contain itself
  std::map<std::vector<char32_t>, RuleId> character_parts_;                 // by the ends of their ranges
};

// Numbers between bounds, each of which may be missing.
//   errors   unsupported: a combination with multipleOf
Result<RuleId> write_integer(GrammarBuilder& builder, const Facts& facts);
Result<RuleId> write_number(GrammarBuilder& builder, const Facts& facts);

// The regular expression of a format; nullptr: none is known. Formats that say nothing about which strings are valid are "".
const char* format_pattern(std::string_view format);

// Of a format whose texts may be longer than `most`: an expression for some that are not; one that is short but for counting. Empty: none
// is needed.
std::string format_pattern_within(std::string_view format, int most);

bool is_number_format(std::string_view format);  // of OpenAPI: int32, double, … annotations

}  // namespace qn::text::schema
