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

json::Value text_part(std::string_view text) {
  return json::Object{{"type", "text"}, {"text", text}};
}

json::Value content_value(const Message& message, const TemplateCapabilities& capabilities) {
  const bool list = capabilities.text_only_in_parts || (capabilities.text_parts && message.parts.size() > 1);
  if (list) {
    json::Array out;
    for (const std::string& part : message.parts) out.push_back(text_part(part));
    if (message.parts.empty()) out.push_back(text_part(message.content));
    return out;
  }
  if (message.parts.empty()) return json::Value(message.content);
  std::string joined;
  for (const std::string& part : message.parts) joined += (&part == &message.parts.front() ? "" : "\n") + part;
  return json::Value(joined);
}

Result<json::Value> message_value(const Message& message, std::size_t index, const TemplateCapabilities& capabilities) {
  json::Object out{{"role", message.role}, {"content", content_value(message, capabilities)}};
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

std::string& last_text(Message& message) {
  return message.parts.empty() ? message.content : message.parts.back();
}

// Put behind the last message, to find where it ends in the prompt: whatever the messages say, its last occurrence is ours.
constexpr std::string_view end_mark = "=end-of-message=";

bool ends_in(std::string_view text, std::string_view end) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Result<std::string> render(const Template& form, const Chat& chat, const std::vector<Message>& messages, const ChatTokens& tokens,
                           std::tm now, const TemplateCapabilities& capabilities) {
  // Arguments of the request come first, so that none of them can stand in for a variable of ours.
  json::Object variables = chat.template_arguments;
  json::Array values;
  for (const Message& message : messages) {
    QN_TRY(json::Value value, message_value(message, values.size(), capabilities));
    values.push_back(std::move(value));
  }
  variables["messages"] = std::move(values);
  variables["tools"] = chat.tools && !chat.tools->empty() ? json::Value(*chat.tools) : json::Value(nullptr);
  variables["documents"] = chat.template_arguments.contains("documents") ? chat.template_arguments.at("documents") : json::Value(nullptr);
  variables["add_generation_prompt"] = chat.add_generation_prompt && !chat.continue_final_message;
  variables["bos_token"] = tokens.bos;
  variables["eos_token"] = tokens.eos;
  for (const std::string_view name : {"enable_thinking", "thinking"})
    if (chat.think && !variables.contains(name)) variables[name] = *chat.think;
  return form.render(variables, now);
}

}  // namespace

Result<std::string> render_chat(const Template& form, const Chat& chat, const ChatTokens& tokens, std::tm now,
                                const TemplateCapabilities& capabilities) {
  std::vector<Message> messages = chat.messages;
  tie_tool_messages(messages, capabilities.ids);
  if (!chat.continue_final_message) {
    QN_TRY(std::string prompt, render(form, chat, messages, tokens, now, capabilities));
    const bool told = chat.template_arguments.contains("enable_thinking") || chat.template_arguments.contains("thinking");
    if (chat.think == false && !told && ends_in(prompt, capabilities.think.open))
      prompt += (prompt.back() == '\n' ? "\n" : "\n\n") + std::string(capabilities.think.close) + "\n\n";
    return prompt;
  }
  if (messages.empty() || messages.back().role != "assistant" || !messages.back().tool_calls.empty())
    return fail(Code::bad_input, "continue_final_message: the last message is no text of the assistant; add one, or leave this out");
  last_text(messages.back()) += end_mark;
  QN_TRY(std::string prompt, render(form, chat, messages, tokens, now, capabilities));
  const std::size_t end = prompt.rfind(end_mark);
  if (end == std::string::npos)
    return fail(Code::bad_input, "continue_final_message: this model's template does not show the last message; leave it out");
  prompt.resize(end);
  return prompt;
}

}  // namespace qn::text
