// Grammar: which texts a reply may be. Context-free, over bytes; built from parts, then immutable and shared.
// A part of a grammar is a RuleId of one builder; parts are used as often as wanted, and may refer to each other through
// declare()/define(). Every front end (JSON Schema, regular expressions, GBNF) makes such parts, so that a chat dialect can wrap one in
// literals.
//   bounds   GrammarLimits; whatever the source, building ends within them or with an error that names the one that was hit
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace qn::text {

struct GrammarLimits {
  std::size_t source_bytes = std::size_t{1} << 20;  // of one schema, expression or GBNF text
  int depth = 128;                                  // nesting within one source
  int states = 200'000;                             // of all automata together
  int repetition = 10'000;                          // in {m,n}, minLength, maxItems, …
  std::chrono::milliseconds time{2000};             // from making the builder to the end of finish()
};

namespace grammar {
struct Automaton;
}

class Grammar {  // made by GrammarBuilder::finish()
 public:
  explicit Grammar(std::unique_ptr<const grammar::Automaton> automaton);
  ~Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  int states() const;
  std::size_t memory_bytes() const;
  const grammar::Automaton& automaton() const { return *automaton_; }

 private:
  std::unique_ptr<const grammar::Automaton> automaton_;
};

using SharedGrammar = std::shared_ptr<const Grammar>;  // by every reply that follows it, and by whoever caches it

struct RuleId {  // a part of a grammar; of one builder
  std::uint32_t value;
};

struct CharRange {  // Unicode code points, both included
  char32_t first, last;
};

// Not for several threads at once. The first fault sticks: parts made after it are hollow, and finish() returns it.
class GrammarBuilder {
 public:
  explicit GrammarBuilder(const GrammarLimits& limits = {});
  GrammarBuilder(GrammarBuilder&&) noexcept;
  GrammarBuilder& operator=(GrammarBuilder&&) noexcept;
  ~GrammarBuilder();

  RuleId literal(std::string_view bytes);
  RuleId special(std::string_view text);  // the one control token that is written so, as `[TOOL_CALLS]`; nothing else matches it
  RuleId characters(std::span<const CharRange> ranges);  // one character out of these, as UTF-8; surrogates are left out
  RuleId character_not_in(std::span<const CharRange> ranges);
  RuleId sequence(std::span<const RuleId> parts);  // none: the empty text
  RuleId choice(std::span<const RuleId> parts);    // none: no text at all
  RuleId sequence(std::initializer_list<RuleId> parts) { return sequence(std::span(parts.begin(), parts.size())); }
  RuleId choice(std::initializer_list<RuleId> parts) { return choice(std::span(parts.begin(), parts.size())); }
  RuleId optional(RuleId part) { return repeat(part, 0, 1); }
  RuleId repeat(RuleId part, int min, std::optional<int> max = {});  // max: none is without end

  // Any bytes in which none of these texts occurs, not even overlapping the end: the longest such run up to the first of them, or to the
  // end of the reply. Put the literal behind it: sequence({until({"</p>"}), literal("</p>")}).
  RuleId until(std::span<const std::string> stops);
  RuleId until(std::initializer_list<std::string> stops) { return until(std::span(stops.begin(), stops.size())); }

  RuleId declare(std::string_view name);  // a part that is defined later, by which it may contain itself; the name is for messages
  void define(RuleId declared, RuleId part);

  RuleId any_json();     // one JSON value, in the form that docs/grammar.md describes
  RuleId json_object();  // one JSON object

  //   where    begins the messages: "response_format.json_schema.schema"
  //   errors   bad_input, unsupported, too_large: the path within the schema and the keyword
  Result<RuleId> json_schema(const json::Value& schema, std::string_view where);
  //   errors   bad_input, unsupported, too_large: the offset within the expression. The expression matches the whole text.
  Result<RuleId> regex(std::string_view pattern, std::string_view where);
  //   errors   bad_input, unsupported, too_large: the line. The rule `root` is the part.
  Result<RuleId> gbnf(std::string_view source, std::string_view where);

  // The builder is used up.
  //   errors   the first fault of a part; bad_input: nothing matches, left recursion; too_large: the limit
  Result<SharedGrammar> finish(RuleId root);

  // Parts of JSON of which a grammar needs one copy: "string", "character" (of a string), "integer", "number".
  RuleId known_json(std::string_view name);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace qn::text
