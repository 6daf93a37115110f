// Cuts the expressions into rules and writes each as an Nfa.
//   What is used in several places, or may contain itself, is a rule of its own. Short repetitions are written out, endless ones are
//   cycles, and long bounded ones become a loop: a rule that counts calls of its body, followed by whatever stood behind the repetition.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "text/grammar/deadline.h"
#include "text/grammar/expression.h"
#include "text/grammar/nfa.h"

namespace qn::text::grammar {

inline constexpr ExpressionId none_opened = 0xFFFFFFFF;

struct RuleSource {
  std::string name;                    // of the declaration nearest above, for messages
  std::vector<ExpressionId> sequence;  // what it matches, without the loop
  bool loop = false;                   // it begins with parts[0] of `repeat`
  ExpressionId repeat = 0;
  std::uint32_t body = 0;  // of the loop
  int min = 0, max = 0;
  bool nullable = false;
  ExpressionId opened = none_opened;  // the shared expression that this rule is for: in it, it is not called but written
};

class RuleWriter {
 public:
  RuleWriter(const ExpressionArena& arena, const GrammarLimits& limits, Deadline& deadline);

  // Rule 0 is the root. rules() grows while rules are written, until every one has been.
  Status begin(ExpressionId root);
  const std::vector<RuleSource>& rules() const { return rules_; }
  Result<Nfa> write(std::uint32_t rule);

 private:
  void find_nullable();
  bool stands_alone(ExpressionId id) const;
  bool counted(const Expression& repeat) const;
  std::uint32_t rule_of(ExpressionId id, const std::string& near);
  std::uint32_t loop_rule(ExpressionId repeat, std::vector<ExpressionId> rest, const std::string& near);
  void call(std::uint32_t rule, std::uint32_t from, std::uint32_t to);
  void write(ExpressionId id, std::uint32_t from, std::uint32_t to);
  void write_sequence(std::vector<ExpressionId> reversed, std::uint32_t from, std::uint32_t to);
  void write_repeat(ExpressionId id, std::uint32_t from, std::uint32_t to);
  void write_characters(const std::vector<CharRange>& ranges, std::uint32_t from, std::uint32_t to);
  void write_until(const std::vector<std::string>& stops, std::uint32_t from, std::uint32_t to);
  ExpressionId definition(ExpressionId id) const;

  const ExpressionArena& arena_;
  const GrammarLimits& limits_;
  Deadline& deadline_;
  std::vector<char> nullable_;  // by expression
  std::vector<RuleSource> rules_;
  std::map<ExpressionId, std::uint32_t> rule_of_;
  std::map<std::vector<ExpressionId>, std::uint32_t> loop_rules_;  // by repetition and what follows it
  std::string name_;                                               // of the rule being written
  ExpressionId opened_ = none_opened;
  Nfa nfa_;
  std::size_t states_ = 0;  // of all rules so far
};

}  // namespace qn::text::grammar
