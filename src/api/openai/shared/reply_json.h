// Parts of OpenAI's replies that several endpoints have.
#pragma once

#include "api/generate.h"

namespace qn::api::openai {

json::Object usage_json(const Usage& usage);

// chat: {"token", "logprob", "bytes", "top_logprobs"} of each token of the content.
json::Value chat_logprobs(const text::Tokenizer& tokenizer, std::span<const serve::ReplyToken> tokens);

// A token as clients see it: its text, U+FFFD for what is no whole character, and its true bytes.
json::Object token_json(const text::Tokenizer& tokenizer, TokenId token, double logprob);

// stop, length, tool_calls.
std::string_view finish_reason(const Choice& choice);
// vLLM's: the stop string or the id of the token that ended the reply, or null.
json::Value stop_reason(const Choice& choice);

// "quern-0.1.0"
std::string fingerprint(const Service& service);

}  // namespace qn::api::openai
