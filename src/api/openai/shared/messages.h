// OpenAI's messages, tools and tool_choice as plain structs. Other dialects that write the same shapes read them here too.
#pragma once

#include "api/fields.h"
#include "serve/reply_request.h"

namespace qn::api::openai {

// The texts of a content: one string, or parts of which all are text. Anything else is refused: this server's models read text only.
//   path     of the field, for messages
std::vector<std::string> read_content(const json::Value& content, const std::string& path, Reading& reading);

// messages into the chat.
void read_messages(Fields& fields, serve::ReplyRequest& request);

// tools, tool_choice, parallel_tool_calls.
void read_tools(Fields& fields, serve::ReplyRequest& request);

}  // namespace qn::api::openai
