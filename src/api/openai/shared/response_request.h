// What a request to /v1/responses says, as plain structs: items instead of messages, flat tools, and the fields that its answer repeats.
#pragma once

#include "api/generate.h"
#include "api/sampling_fields.h"

namespace qn::api::openai {

struct ResponseRequest {
  serve::ReplyRequest reply;
  json::Object echo;  // what the response repeats: instructions, tools, text, …
  bool encrypted_reasoning = false;
  bool logprobs = false;
};

// Everything but model and stream.
ResponseRequest read_response_request(Fields& fields);

}  // namespace qn::api::openai
