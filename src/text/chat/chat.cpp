// The variables that Hugging Face Transformers' apply_chat_template gives to a template, made from a Chat.
#include "text/chat/chat.h"

namespace qn::text {
namespace {

Result<json::Value> call_value(const ToolCall& call, std::size_t message, std::size_t index) {
  json::Object function{{"name", call.name}};
  // Templates print arguments as an object; text that is none is passed on as the text it is.
  const Result<json::Value> parsed = json::parse(call.arguments);
  if (!parsed && parsed.error().code == Code::too_large)
    return fail(Code::too_large, "messages[{}].tool_calls[{}].function.arguments: {}", message, index, parsed.error().message);
  if (parsed && parsed->is_object()) {
    function["arguments"] = *parsed;
  } else if (call.arguments.empty()) {
    function["arguments"] = json::Object();
  } else {
    function["arguments"] = call.arguments;
  }
  json::Object out{{"type", "function"}};
  if (!call.id.empty()) out["id"] = call.id;
  out["function"] = std::move(function);
  return out;
}

Result<json::Value> message_value(const Message& message, std::size_t index) {
  json::Object out{{"role", message.role}, {"content", message.content}};
  if (!message.reasoning.empty()) out["reasoning_content"] = message.reasoning;
  if (!message.tool_calls.empty()) {
    json::Array calls;
    for (const ToolCall& call : message.tool_calls) {
      QN_TRY(json::Value value, call_value(call, index, calls.size()));
      calls.push_back(std::move(value));
    }
    out["tool_calls"] = std::move(calls);
  }
  if (!message.name.empty()) out["name"] = message.name;
  if (!message.tool_call_id.empty()) out["tool_call_id"] = message.tool_call_id;
  return out;
}

}  // namespace

Result<std::string> render_chat(const Template& form, const Chat& chat, const ChatTokens& tokens, std::tm now) {
  // Arguments of the request come first, so that none of them can stand in for a variable of ours.
  json::Object variables = chat.template_arguments;
  json::Array messages;
  for (const Message& message : chat.messages) {
    QN_TRY(json::Value value, message_value(message, messages.size()));
    messages.push_back(std::move(value));
  }
  variables["messages"] = std::move(messages);
  variables["tools"] = chat.tools && !chat.tools->empty() ? json::Value(*chat.tools) : json::Value(nullptr);
  variables["documents"] = chat.template_arguments.contains("documents") ? chat.template_arguments.at("documents") : json::Value(nullptr);
  variables["add_generation_prompt"] = chat.add_generation_prompt;
  variables["bos_token"] = tokens.bos;
  variables["eos_token"] = tokens.eos;
  if (chat.think) variables["enable_thinking"] = *chat.think;
  return form.render(variables, now);
}

}  // namespace qn::text
