#include "api/openai/shared/reply_json.h"

#include "base/utf8.h"

namespace qn::api::openai {

json::Object usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", json::Object{{"cached_tokens", usage.cached_tokens}}},
          {"completion_tokens_details", json::Object{{"reasoning_tokens", usage.thinking_tokens},
                                                     {"accepted_prediction_tokens", usage.accepted_tokens},
                                                     {"rejected_prediction_tokens", usage.drafted_tokens - usage.accepted_tokens}}}};
}

json::Object token_json(const text::Tokenizer& tokenizer, TokenId token, double logprob) {
  const bool known = token >= 0 && token < tokenizer.vocab_size();
  const std::string_view bytes = !known                        ? std::string_view()
                                 : tokenizer.is_special(token) ? tokenizer.special_text(token)
                                                               : tokenizer.bytes_of(token);
  json::Array list;
  for (const char byte : bytes) list.push_back(static_cast<std::int64_t>(static_cast<unsigned char>(byte)));
  return {{"token", utf8::replace_invalid(bytes)}, {"logprob", logprob}, {"bytes", std::move(list)}};
}

json::Value chat_logprobs(const text::Tokenizer& tokenizer, std::span<const serve::ReplyToken> tokens) {
  json::Array content;
  for (const serve::ReplyToken& token : tokens) {
    if (token.within != text::ReplyPart::Kind::content) continue;
    json::Object entry = token_json(tokenizer, token.id, static_cast<double>(token.logprob));
    json::Array top;
    for (const engine::TokenLogprob& other : token.top)
      top.push_back(token_json(tokenizer, other.token, static_cast<double>(other.logprob)));
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  return json::Object{{"content", std::move(content)}, {"refusal", nullptr}};
}

std::string_view finish_reason(const Choice& choice) {
  if (choice.finish == serve::Finish::stop) return choice.calls.empty() ? "stop" : "tool_calls";
  return "length";
}

json::Value stop_reason(const Choice& choice) {
  if (choice.stop_text) return json::Value(*choice.stop_text);
  if (choice.stop_token) return json::Value(*choice.stop_token);
  return nullptr;
}

std::string fingerprint(const Service& service) {
  return "quern-" + service.version;
}

}  // namespace qn::api::openai
