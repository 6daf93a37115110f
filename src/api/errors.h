// Errors of the API: one catalogue of conditions, five spellings.
// Texts are ours and speak of the request: no addresses, file paths or exception texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/http/message.h"
#include "base/result.h"

namespace qn::api {

enum class Condition {
  no_body,
  bad_request,        // bad JSON, type or range; `param` names the field
  no_model,           // the request names none
  prompt_too_long,    // over the context window
  cannot_do,          // the model has no such ability
  bad_key,            // missing or wrong
  forbidden,          // scope, host or origin
  unknown_model,      //
  unknown_path,       //
  wrong_method,       //
  timed_out,          // the request came too slowly
  body_too_large,     //
  target_too_long,    // the request line
  bad_encoding,       // a Content-Encoding or Content-Type that is not read
  headers_too_large,  //
  quota,              // of this key
  cancelled,          // the client left: for the log only
  internal,           //
  not_offered,        // a route or feature that this server does not have
  overloaded,         // the queue is full, or the server is being stopped
  loading,            // the model is not ready yet
  bad_version,        // a version of HTTP that is not spoken
};

struct ApiError {
  Condition condition;
  std::string message;                                       // "<thing>: <finding>; <remedy>", or a text that clients match on
  std::string param = {};                                    // "messages[2].content"; OpenAI only
  std::vector<std::pair<std::string, double>> numbers = {};  // beside the standard keys, OpenAI and native: n_prompt_tokens, n_ctx
  int retry_after_s = 0;                                     // 429 and 503, at most 60; 0: the catalogue's
};

// An error of the lower layers. What the client cannot have caused (io, internal) goes to our log, and the client gets a fixed text.
ApiError to_api_error(const Error& error);

// Texts that clients match on, each in its dialect.
ApiError unknown_model(Dialect dialect, std::string_view model);
ApiError prompt_too_long(Dialect dialect, int prompt_tokens, int wanted_tokens, int window_tokens);

int status_of(Condition condition, Dialect dialect);
HttpResponse error_response(const ApiError& error, Dialect dialect, std::string_view request_id);

// The last bytes of a stream that broke: an SSE event, or an NDJSON line. The stream ends after them.
std::string stream_error(const ApiError& error, Dialect dialect, std::string_view request_id);

// How a path that no endpoint has would be answered.
Dialect dialect_of_path(std::string_view path);

}  // namespace qn::api
