// What a builder holds; the front ends share it.
#pragma once

#include <map>
#include <optional>

#include "text/grammar/deadline.h"
#include "text/grammar/expression.h"
#include "text/grammar/grammar.h"

namespace qn::text {

struct GrammarBuilder::Parts {
  explicit Parts(const GrammarLimits& limits_) : limits(limits_), deadline(limits_.time) {}

  RuleId add(grammar::Expression expression);

  GrammarLimits limits;
  grammar::Deadline deadline;
  grammar::ExpressionArena arena;
  std::optional<Error> fault;  // the first one
  std::size_t literal_bytes = 0;
  std::map<std::vector<char32_t>, RuleId> small_classes;  // of one or two ranges, by their ends: most are used again and again
  std::size_t class_ranges = 0;
  std::map<std::string, RuleId, std::less<>> known;  // parts of JSON that are the same wherever they stand, by name
};

}  // namespace qn::text
