// JSON as a reply is to write it: no white space but one optional space after each comma and colon.
// Strings: every character that JSON lets stand may stand; escapes as JSON has them, \u of one character, so that no half of a pair is
// alone. Numbers: at most 20 digits before the point, 20 after it, 3 in the exponent.
#pragma once

#include "text/grammar/grammar.h"

namespace qn::text::grammar {

// Code points that stand in a JSON string as they are.
std::vector<CharRange> plain_json_characters();

RuleId json_space(GrammarBuilder& builder);  // none or one, after a comma or a colon
RuleId json_character(GrammarBuilder& builder);
RuleId json_string(GrammarBuilder& builder);
RuleId json_integer(GrammarBuilder& builder);
RuleId json_number(GrammarBuilder& builder);

// One of these characters in the one form that our own JSON printer gives it: as it is where that is possible, else as the shortest escape.
RuleId json_characters(GrammarBuilder& builder, std::span<const CharRange> ranges);

// The text of a JSON string, with its quotes, in that form.
std::string json_quoted(std::string_view text);

RuleId json_array(GrammarBuilder& builder, RuleId item);                // of any number of these
RuleId json_object(GrammarBuilder& builder, RuleId key, RuleId value);  // the same

}  // namespace qn::text::grammar
