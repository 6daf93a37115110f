// llama-server's prompts out of JSON.
#pragma once

#include "api/fields.h"
#include "serve/reply_request.h"

namespace qn::api::native {

using RawPrompt = decltype(serve::ReplyRequest::raw_prompt);

// "text", [ids], [ids and "texts" mixed], {"prompt_string": "text"}.
RawPrompt read_prompt(const json::Value& value, const std::string& path, Reading& reading);

// A list that is not one prompt itself: of texts alone, of lists or of objects.
bool is_list_of_prompts(const json::Value& value);

}  // namespace qn::api::native
