// The parameters of a reply as requests spell them. Every dialect takes every spelling (temperature is temperature; num_predict, n_predict
// and max_tokens are one number), so one table serves all; what differs between dialects are defaults.
#pragma once

#include "api/fields.h"
#include "api/generate.h"
#include "api/model_work.h"
#include "serve/reply_request.h"

namespace qn::api {

enum class Defaults {
  openai,  // temperature 1, nothing cut: OpenAI, vLLM, Anthropic
  ollama,  // temperature 0.8, top_k 40, top_p 0.9
  native,  // llama-server's: temperature 0.8, top_k 40, top_p 0.95, min_p 0.05
};
serve::Parameters default_parameters(Defaults which);

// Takes every field that says how tokens are chosen or when the reply ends, and those that servers know but that have no effect here.
void read_sampling(Fields& fields, serve::ReplyRequest& request);

// Takes response_format, structured_outputs, guided_*, json_schema, grammar, format.
void read_form(Fields& fields, serve::ReplyRequest& request);

// Takes reasoning_effort, enable_thinking, thinking_budget, chat_template_kwargs, … The template's own argument wins.
void read_thinking(Fields& fields, serve::ReplyRequest& request);

// Takes add_generation_prompt, continue_final_message, documents.
void read_generation_prompt(Fields& fields, serve::ReplyRequest& request);

// Takes model and keep_alive.
void read_wish(Fields& fields, ModelWish& wish);

// Takes what every generating endpoint has beside the reply's own parameters: model, keep_alive, num_ctx, cache_salt, request_id, ….
void read_common(const Service& service, Fields& fields, GenerateJob& job, serve::ReplyRequest& request);

// "5m", "1h30m", 300, "-1": seconds, negative for ever.
//   errors   bad_input
Result<double> read_keep_alive(const json::Value& value);

}  // namespace qn::api
