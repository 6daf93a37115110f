#include "api/anthropic/shared/reply.h"

namespace qn::api::anthropic {

std::string_view stop_reason(const Choice& choice) {
  if (choice.finish == serve::Finish::window_full) return "model_context_window_exceeded";
  if (choice.finish != serve::Finish::stop) return "max_tokens";
  if (choice.stop_text) return "stop_sequence";
  return choice.calls.empty() ? "end_turn" : "tool_use";
}

json::Value stop_sequence(const Choice& choice) {
  return choice.finish == serve::Finish::stop && choice.stop_text ? json::Value(*choice.stop_text) : json::Value(nullptr);
}

json::Object usage_json(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

std::string tool_use_id(std::string_view call_id) {
  constexpr std::string_view prefix = "call_";
  if (call_id.starts_with(prefix)) call_id.remove_prefix(prefix.size());
  return "toolu_" + std::string(call_id);
}

std::string signature() {
  return "q1:" + random_label(32);
}

}  // namespace qn::api::anthropic
