// POST /api/chat: Ollama's chat.
#include <algorithm>
#include <cctype>
#include <utility>

#include "api/ollama/shared/reply.h"
#include "api/ollama/shared/request.h"
#include "api/openai/shared/messages.h"

namespace qn::api {
namespace {

constexpr std::size_t most_messages = 4096, most_calls = 512;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<text::ToolCall> read_calls(const json::Array& calls, const std::string& path, Reading& reading) {
  std::vector<text::ToolCall> out;
  for (std::size_t i = 0; i < calls.size() && !reading.error; ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    Fields call(calls[i].if_object(), at, reading);
    call.require("function");
    Fields function(call.object("function"), at + ".function", reading);
    function.require("name");
    text::ToolCall read{.id = call.text("id").value_or(""), .name = function.text("name").value_or(""), .arguments = {}};
    const json::Value* arguments = function.any("arguments");
    if (arguments != nullptr) read.arguments = arguments->is_string() ? std::string(arguments->get_string()) : json::print(*arguments);
    out.push_back(std::move(read));
  }
  return out;
}

text::Message read_message(const json::Value& value, const std::string& path, Reading& reading) {
  if (!value.is_object()) reading.refuse(path, Code::bad_input, fmt::format("{}: must be of type object", path));
  Fields fields(value.if_object(), path, reading);
  text::Message message;
  fields.require("role");
  message.role = lower(fields.text("role").value_or(""));
  if (message.role == "developer") message.role = "system";
  if (!reading.error && message.role != "system" && message.role != "user" && message.role != "assistant" && message.role != "tool")
    reading.refuse(path + ".role", Code::bad_input,
                   fmt::format("invalid role: {} (must be one of \"system\", \"user\", \"assistant\", or \"tool\")", quoted(message.role)));
  if (const json::Value* content = fields.any("content")) {
    message.parts = openai::read_content(*content, path + ".content", reading);
    for (const std::string& part : message.parts) message.content += part;
    if (message.parts.size() < 2) message.parts.clear();
  }
  for (const std::string_view name : {"thinking", "reasoning_content", "reasoning"})
    if (auto thought = fields.text(name); thought && message.reasoning.empty()) message.reasoning = std::move(*thought);
  if (const json::Array* calls = fields.array("tool_calls", most_calls))
    message.tool_calls = read_calls(*calls, path + ".tool_calls", reading);
  message.name = fields.text("tool_name").value_or("");
  if (message.name.empty()) message.name = fields.text("name").value_or("");
  message.tool_call_id = fields.text("tool_call_id").value_or("");
  if (const json::Array* images = fields.array("images"); images != nullptr && !images->empty())
    reading.refuse(path + ".images", Code::unsupported, fmt::format("{}.images: this model reads text only; leave them out", path));
  fields.warn_of_the_rest();
  return message;
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& from, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ollama::Asked asked;
    ollama::read_asked(service, fields, asked);
    text::Chat& chat = asked.request.chat;
    const json::Array* messages = fields.array("messages", most_messages);
    for (std::size_t i = 0; messages != nullptr && i < messages->size() && !reading.error; ++i)
      chat.messages.push_back(read_message((*messages)[i], fmt::format("messages[{}]", i), reading));
    openai::read_tools(fields, asked.request);
    read_generation_prompt(fields, asked.request);
    const bool only_renders = fields.boolean("_debug_render_only").value_or(false);
    fields.warn_of_the_rest();
    if (refused(*from, reading)) return;
    asked.job.warnings = std::move(reading.warnings);
    if (chat.messages.empty())
      return ollama::load_or_unload(service, from, asked.job,
                                    {{"model", asked.job.model},
                                     {"created_at", ollama::timestamp(std::chrono::system_clock::now())},
                                     {"message", json::Object{{"role", "assistant"}, {"content", ""}}}});
    if (ollama::cannot(service, *from, asked.job.model, ollama::Ability::chat)) return;
    if (only_renders) return ollama::render_only(service, from, std::move(asked));
    asked.job.prompts.push_back(std::move(asked.request));
    generate(service, from, std::move(asked.job), ollama::reply_writer({.is_chat = true, .logprobs = asked.logprobs}));
  });
}

}  // namespace

Endpoint endpoint_ollama_chat() {
  return {"POST", {"/api/chat"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
