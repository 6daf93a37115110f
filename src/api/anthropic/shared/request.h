// Anthropic's messages, system, tools and thinking as plain structs, for the endpoints that take them.
#pragma once

#include <string>

#include "api/fields.h"
#include "serve/reply_request.h"

namespace qn::api::anthropic {

enum class ShowThinking { yes, no };  // thinking.display: "omitted" hides the text

// messages and system. Turns of one role that follow each other are one message; a last turn of the assistant stays open.
void read_chat(Fields& fields, serve::ReplyRequest& request);

// tools and tool_choice.
void read_tools(Fields& fields, serve::ReplyRequest& request);

// output_config and thinking.
ShowThinking read_output(Fields& fields, serve::ReplyRequest& request);

}  // namespace qn::api::anthropic
