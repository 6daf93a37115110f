#include "api/openai/shared/messages.h"

#include <utility>

namespace qn::api::openai {
namespace {

constexpr std::size_t most_messages = 4096, most_tools = 512;

std::string text_field(Fields& fields, std::string_view name) {
  return fields.text(name).value_or("");
}

// arguments may come as JSON text or as an object; an empty string is {}.
std::string read_arguments(Fields& function) {
  const json::Value* arguments = function.any("arguments");
  if (arguments == nullptr) return "{}";
  if (arguments->is_string()) return arguments->get_string().empty() ? "{}" : std::string(arguments->get_string());
  return json::print(*arguments);
}

std::vector<text::ToolCall> read_calls(const json::Array& calls, const std::string& path, Reading& reading) {
  std::vector<text::ToolCall> out;
  for (std::size_t i = 0; i < calls.size() && !reading.error; ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    if (!calls[i].is_object()) {
      reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
      break;
    }
    Fields call(&calls[i].get_object(), at, reading);
    const json::Object* function = call.object("function");
    Fields inner(function != nullptr ? function : &calls[i].get_object(), at + ".function", reading);
    inner.require("name");
    out.push_back({text_field(call, "id"), text_field(inner, "name"), read_arguments(inner)});
  }
  return out;
}

text::Message read_message(const json::Object& object, const std::string& path, Reading& reading) {
  Fields fields(&object, path, reading);
  text::Message message;
  fields.require("role");
  message.role = text_field(fields, "role");
  if (message.role == "developer") message.role = "system";
  if (message.role == "function") message.role = "tool";
  if (message.role != "system" && message.role != "user" && message.role != "assistant" && message.role != "tool")
    reading.refuse(path + ".role", Code::bad_input,
                   fmt::format("{}.role: '{}' is none of system, user, assistant, tool", path, quoted(message.role)));
  const json::Value* content = fields.any("content");
  if (const json::Array* calls = fields.array("tool_calls", most_tools))
    message.tool_calls = read_calls(*calls, path + ".tool_calls", reading);
  if (content != nullptr) {
    message.parts = read_content(*content, path + ".content", reading);
    for (const std::string& part : message.parts) message.content += part;
    if (message.parts.size() < 2) message.parts.clear();
  } else if (message.role != "assistant") {
    reading.refuse(path + ".content", Code::bad_input, fmt::format("{}.content: missing; it is required", path));
  }
  for (const std::string_view name : {"reasoning_content", "reasoning", "thinking"}) {
    const json::Value* thought = fields.any(name);
    if (thought != nullptr && thought->is_string() && message.reasoning.empty()) message.reasoning = thought->get_string();
  }
  message.tool_call_id = text_field(fields, "tool_call_id");
  message.name = text_field(fields, "name");
  for (const std::string_view name : {"refusal", "function_call", "annotations", "audio", "partial", "prefix"}) fields.skip(name);
  fields.warn_of_the_rest();
  return message;
}

void read_choice(Fields& fields, serve::ReplyRequest& request) {
  using Kind = text::ToolChoice::Kind;
  const json::Value* choice = fields.any("tool_choice");
  if (choice == nullptr) return;
  const auto wrong = [&] {
    fields.reading().refuse("tool_choice", Code::bad_input,
                            "tool_choice: give none, auto, required or {\"type\": \"function\", \"function\": {\"name\": …}}");
  };
  if (choice->is_string()) {
    const std::string_view word = choice->get_string();
    if (word == "none") {
      request.tool_choice.kind = Kind::none;
    } else if (word == "auto") {
      request.tool_choice.kind = Kind::automatic;
    } else if (word == "required" || word == "any") {
      request.tool_choice.kind = Kind::required;
    } else {
      wrong();
    }
    return;
  }
  if (!choice->is_object()) return wrong();
  Fields inside(&choice->get_object(), "tool_choice", fields.reading());
  const std::string type = inside.text("type").value_or("");
  if (type == "allowed_tools") {
    const json::Object* allowed = inside.object("allowed_tools");
    Fields rules(allowed != nullptr ? allowed : &choice->get_object(), "tool_choice", fields.reading());
    request.tool_choice.kind = rules.text("mode").value_or("auto") == "required" ? Kind::required : Kind::automatic;
    const json::Array* names = rules.array("tools", most_tools);
    if (names == nullptr || !request.chat.tools) return;
    const auto name_in = [](const json::Value& tool) -> std::string {
      const json::Object* object = tool.if_object();
      if (object == nullptr) return {};
      if (const json::Value* function = object->if_contains("function"); function != nullptr && function->is_object())
        object = &function->get_object();
      const json::Value* name = object->if_contains("name");
      return name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
    };
    json::Array kept;
    for (const json::Value& tool : *request.chat.tools)
      for (const json::Value& name : *names)
        if (!name_in(tool).empty() && name_in(tool) == name_in(name)) kept.push_back(tool);
    request.chat.tools = std::move(kept);
    return;
  }
  if (type != "function" && type != "tool") return wrong();
  const json::Object* function = inside.object("function");
  Fields named(function != nullptr ? function : &choice->get_object(), "tool_choice.function", fields.reading());
  const auto name = named.text("name");
  if (!name) return wrong();
  request.tool_choice = {Kind::named, *name};
}

}  // namespace

std::vector<std::string> read_content(const json::Value& content, const std::string& path, Reading& reading) {
  if (content.is_string()) return {std::string(content.get_string())};
  std::vector<std::string> out;
  if (!content.is_array()) {
    reading.refuse(path, Code::bad_input, fmt::format("{}: must be a string or an array of parts", path));
    return out;
  }
  const json::Array& parts = content.get_array();
  for (std::size_t i = 0; i < parts.size() && !reading.error; ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    if (parts[i].is_string()) {
      out.emplace_back(parts[i].get_string());
      continue;
    }
    if (!parts[i].is_object()) {
      reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
      break;
    }
    Fields part(&parts[i].get_object(), at, reading);
    const std::string type = part.text("type").value_or("text");
    if (type == "text" || type == "input_text" || type == "output_text") {
      out.push_back(part.text("text").value_or(""));
    } else if (type == "refusal") {
      out.push_back(part.text("refusal").value_or(""));
    } else {
      reading.refuse(at + ".type", Code::unsupported, fmt::format("{}.type: '{}' is not read by this model; send text", at, quoted(type)));
    }
  }
  return out;
}

void read_messages(Fields& fields, serve::ReplyRequest& request) {
  fields.require("messages");
  const json::Array* messages = fields.array("messages", most_messages);
  if (messages == nullptr) return;
  Reading& reading = fields.reading();
  if (messages->empty()) return reading.refuse("messages", Code::bad_input, "messages: empty; send at least one");
  for (std::size_t i = 0; i < messages->size() && !reading.error; ++i) {
    const std::string path = fmt::format("messages[{}]", i);
    if (!(*messages)[i].is_object()) return reading.refuse(path, Code::bad_input, fmt::format("{}: must be of type object", path));
    request.chat.messages.push_back(read_message((*messages)[i].get_object(), path, reading));
  }
}

void read_tools(Fields& fields, serve::ReplyRequest& request) {
  if (const json::Array* tools = fields.array("tools", most_tools); tools != nullptr && !tools->empty()) {
    const auto read = text::read_tools(*tools);
    if (!read) return fields.reading().refuse("tools", read.error().code, read.error().message);
    request.chat.tools = *tools;
  }
  read_choice(fields, request);
  const bool parallel = fields.boolean("parallel_tool_calls").value_or(true);
  request.calls = parallel ? text::Calls::many : text::Calls::one;
  if (!request.chat.tools || request.chat.tools->empty()) {
    using Kind = text::ToolChoice::Kind;
    if (request.tool_choice.kind == Kind::required || request.tool_choice.kind == Kind::named)
      fields.reading().refuse("tool_choice", Code::bad_input, "tool_choice: there are no tools to call; send tools too");
    return;
  }
  if (request.tool_choice.kind == text::ToolChoice::Kind::named) {
    const auto known = text::read_tools(*request.chat.tools);
    for (const text::Tool& tool : *known)
      if (tool.name == request.tool_choice.name) return;
    fields.reading().refuse("tool_choice", Code::bad_input,
                            fmt::format("tool_choice: '{}' is not among the tools; name one of them", quoted(request.tool_choice.name)));
  }
}

}  // namespace qn::api::openai
