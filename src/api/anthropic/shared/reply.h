// Parts of Anthropic's replies that streams and whole answers have in common.
#pragma once

#include <string>

#include "api/generate.h"

namespace qn::api::anthropic {

// end_turn, max_tokens, stop_sequence, tool_use, model_context_window_exceeded.
std::string_view stop_reason(const Choice& choice);
json::Value stop_sequence(const Choice& choice);

// What was found computed is not counted as input: the two together are the prompt.
json::Object usage_json(const Usage& usage);

// "toolu_…" for the id of a call.
std::string tool_use_id(std::string_view call_id);

// Clients send it back beside a thought and may not look inside; nothing hangs on it.
std::string signature();

}  // namespace qn::api::anthropic
