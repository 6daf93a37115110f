#include "api/errors.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"

namespace qn::api {
namespace {

// One row a condition, in the order of the enum. An empty Ollama text means the error's own.
struct Spelling {
  int status;
  std::string_view openai_type, openai_code, ollama_text, anthropic_type, native_type;
  int retry_after_s = 0;
};
constexpr std::string_view invalid = "invalid_request_error";
constexpr std::string_view busy = "server busy, please try again.  maximum pending requests exceeded";
constexpr Spelling spellings[] = {
    /* no_body */ {400, invalid, "", "missing request body", invalid, invalid},
    /* bad_request */ {400, invalid, "", "", invalid, invalid},
    /* no_model */ {400, invalid, "", "model is required", invalid, invalid},
    /* prompt_too_long */
    {400, invalid, "context_length_exceeded", "the input length exceeds the context length", invalid, "exceed_context_size_error"},
    /* cannot_do */ {400, invalid, "", "", invalid, "not_supported_error"},
    /* bad_key */ {401, "authentication_error", "invalid_api_key", "unauthorized", "authentication_error", "authentication_error"},
    /* forbidden */ {403, "permission_error", "", "", "permission_error", "permission_error"},
    /* unknown_model */ {404, invalid, "model_not_found", "", "not_found_error", "not_found_error"},
    /* unknown_path */ {404, invalid, "", "", "not_found_error", "not_found_error"},
    /* wrong_method */ {405, invalid, "", "", invalid, invalid},
    /* timed_out */ {408, invalid, "", "", invalid, invalid},
    /* body_too_large */ {413, invalid, "", "", "request_too_large", invalid},
    /* target_too_long */ {414, invalid, "", "", invalid, invalid},
    /* bad_encoding */ {415, invalid, "", "", invalid, invalid},
    /* headers_too_large */ {431, invalid, "", "", invalid, invalid},
    /* quota */ {429, "rate_limit_error", "rate_limit_exceeded", "", "rate_limit_error", "unavailable_error", 1},
    /* cancelled */ {499, "server_error", "", "request canceled", "api_error", "server_error"},
    /* internal */ {500, "server_error", "", "", "api_error", "server_error"},
    /* not_offered */ {501, "server_error", "", "", "api_error", "not_supported_error"},
    /* overloaded */ {503, "server_error", "overloaded", busy, "overloaded_error", "unavailable_error", 1},
    /* loading */ {503, "server_error", "overloaded", "", "overloaded_error", "unavailable_error", 1},
    /* bad_version */ {505, invalid, "", "", invalid, invalid},
};
static_assert(std::size(spellings) == static_cast<std::size_t>(Condition::bad_version) + 1);

constexpr std::size_t max_message_bytes = 8192;  // no line of a stream may reach 64 KiB, and a byte may become six

const Spelling& spelling_of(Condition condition) {
  return spellings[static_cast<std::size_t>(condition)];
}

std::string shortened(std::string_view message) {
  std::string text = utf8::replace_invalid(message.substr(0, max_message_bytes));
  return text;
}

std::string_view ollama_text(const ApiError& error) {
  const std::string_view fixed = spelling_of(error.condition).ollama_text;
  return fixed.empty() ? std::string_view(error.message) : fixed;
}

json::Value json_number(double value) {
  if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

json::Object openai_error(const ApiError& error) {
  const Spelling& s = spelling_of(error.condition);
  json::Object inner;
  inner["message"] = shortened(error.message);
  inner["type"] = s.openai_type;
  inner["param"] = error.param.empty() ? json::Value() : json::Value(shortened(error.param));
  inner["code"] = s.openai_code.empty() ? json::Value() : json::Value(s.openai_code);
  for (const auto& [name, value] : error.numbers) inner[name] = json_number(value);
  return inner;
}

json::Object native_error(const ApiError& error) {
  json::Object inner;
  inner["code"] = status_of(error.condition, Dialect::native);
  inner["message"] = shortened(error.message);
  inner["type"] = spelling_of(error.condition).native_type;
  for (const auto& [name, value] : error.numbers)
    if (name == "n_prompt_tokens" || name == "n_ctx") inner[name] = json_number(value);
  return inner;
}

json::Object body_of(const ApiError& error, Dialect dialect, std::string_view request_id) {
  json::Object body;
  switch (dialect) {
    case Dialect::openai:
    case Dialect::responses: body["error"] = openai_error(error); break;
    case Dialect::native: body["error"] = native_error(error); break;
    case Dialect::ollama: body["error"] = shortened(ollama_text(error)); break;
    case Dialect::anthropic: {
      body["type"] = "error";
      json::Object inner;
      inner["type"] = spelling_of(error.condition).anthropic_type;
      inner["message"] = shortened(error.message);
      body["error"] = std::move(inner);
      body["request_id"] = request_id;
      break;
    }
  }
  return body;
}

}  // namespace

ApiError to_api_error(const Error& error) {
  switch (error.code) {
    case Code::bad_input:
    case Code::too_large: return {Condition::bad_request, error.message};
    case Code::not_found: return {Condition::unknown_model, error.message};
    case Code::unsupported: return {Condition::cannot_do, error.message};
    case Code::out_of_memory:
    case Code::overloaded: return {Condition::overloaded, error.message};
    case Code::cancelled: return {Condition::cancelled, "the request was cancelled"};
    case Code::io:
    case Code::internal: break;
  }
  log::warning("request_failed error={}", qn::quoted(error.message, 512));
  return {Condition::internal, "the server failed; its log says why"};
}

ApiError unknown_model(Dialect dialect, std::string_view model) {
  const std::string_view name = model.substr(0, 256);
  switch (dialect) {
    case Dialect::ollama: return {Condition::unknown_model, fmt::format("model '{}' not found", name)};
    case Dialect::anthropic: return {Condition::unknown_model, fmt::format("model: {}", name)};
    default: return {Condition::unknown_model, fmt::format("The model '{}' does not exist", name), "model"};
  }
}

ApiError prompt_too_long(Dialect dialect, int prompt_tokens, int wanted_tokens, int window_tokens) {
  ApiError error{Condition::prompt_too_long, {}};
  switch (dialect) {
    case Dialect::anthropic: error.message = fmt::format("prompt is too long: {} tokens > {} maximum", prompt_tokens, window_tokens); break;
    case Dialect::ollama: error.message = spelling_of(Condition::prompt_too_long).ollama_text; break;
    case Dialect::native:
      error.message = fmt::format("request ({} tokens) exceeds the available context size ({} tokens), try increasing it", prompt_tokens,
                                  window_tokens);
      break;
    case Dialect::openai:
    case Dialect::responses:
      error.message = fmt::format(
          "This model's maximum context length is {} tokens. However, you requested {} output tokens and your prompt contains {} input "
          "tokens, "
          "for a total of {} tokens. Please reduce the length of the input prompt or the number of requested output tokens.",
          window_tokens, wanted_tokens, prompt_tokens, static_cast<std::int64_t>(prompt_tokens) + wanted_tokens);
      error.param = "messages";
      break;
  }
  error.numbers = {{"n_prompt_tokens", prompt_tokens}, {"n_ctx", window_tokens}, {"max_tokens", wanted_tokens}};
  return error;
}

int status_of(Condition condition, Dialect dialect) {
  if (condition == Condition::cannot_do && dialect == Dialect::native) return 501;
  if ((condition == Condition::overloaded || condition == Condition::loading) && dialect == Dialect::anthropic) return 529;
  return spelling_of(condition).status;
}

HttpResponse error_response(const ApiError& error, Dialect dialect, std::string_view request_id) {
  HttpResponse response;
  response.status = status_of(error.condition, dialect);
  response.body = json::print(body_of(error, dialect, request_id));
  const int wait = error.retry_after_s > 0 ? std::min(error.retry_after_s, 60) : spelling_of(error.condition).retry_after_s;
  if (wait > 0) response.headers.emplace_back("Retry-After", std::to_string(wait));
  if (error.condition == Condition::bad_key) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  // The SDKs try everything from 500 up again, twice, unless they are told that it is in vain.
  if (response.status == 501 || response.status == 505) response.headers.emplace_back("x-should-retry", "false");
  return response;
}

std::string stream_error(const ApiError& error, Dialect dialect, std::string_view request_id) {
  switch (dialect) {
    case Dialect::ollama: return json::print(body_of(error, dialect, request_id)) + "\n";
    case Dialect::anthropic: return "event: error\ndata: " + json::print(body_of(error, dialect, request_id)) + "\n\n";
    case Dialect::responses: {
      json::Object inner, response, event;
      inner["code"] = error.condition == Condition::quota ? "rate_limit_exceeded" : "server_error";
      inner["message"] = shortened(error.message);
      response["object"] = "response";
      response["status"] = "failed";
      response["error"] = std::move(inner);
      event["type"] = "response.failed";
      event["response"] = std::move(response);
      return "event: response.failed\ndata: " + json::print(event) + "\n\n";
    }
    case Dialect::openai:
    case Dialect::native: break;
  }
  return "data: " + json::print(body_of(error, dialect, request_id)) + "\n\n";
}

Dialect dialect_of_path(std::string_view path) {
  constexpr std::pair<std::string_view, Dialect> beginnings[] = {
      {"/v1/messages", Dialect::anthropic},
      {"/v1/responses", Dialect::responses},
      {"/responses", Dialect::responses},
      {"/v1", Dialect::openai},
      {"/v2", Dialect::openai},
      {"/api", Dialect::ollama},
      {"/chat/completions", Dialect::openai},
  };
  for (const auto& [beginning, dialect] : beginnings)
    if (path.starts_with(beginning) && (path.size() == beginning.size() || path[beginning.size()] == '/')) return dialect;
  return Dialect::native;
}

}  // namespace qn::api
