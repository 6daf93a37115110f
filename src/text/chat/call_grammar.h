// The grammar of a reply that may or must call tools, made from the same steps that the parser reads by.
#pragma once

#include <functional>
#include <string_view>

#include "text/chat/reply_parser.h"
#include "text/grammar/grammar.h"

namespace qn::text {

// What a reply may be once its thinking is over. required, named: calls and nothing else. automatic: any text, and from the mark that
// begins a call on, calls to the end; so a matcher may also be started at that mark. Arguments follow each tool's schema.
//   is_control   whether the vocabulary has a control token of this text: such marks may be that token or its letters, others are letters.
//                None: any mark may be a control token
//   errors       unsupported: the dialect has no tools; bad_input: choice.name is no tool; whatever a schema is refused for, by its path
Result<RuleId> add_tool_call_rules(GrammarBuilder& grammar, const Dialect& dialect, const ReplyForm& form,
                                   const std::function<bool(std::string_view)>& is_control = {});

}  // namespace qn::text
