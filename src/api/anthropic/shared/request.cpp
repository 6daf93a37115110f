#include "api/anthropic/shared/request.h"

#include <algorithm>
#include <utility>

#include "api/sampling_fields.h"

namespace qn::api::anthropic {
namespace {

constexpr std::size_t most_messages = 4096, most_blocks = 4096, most_tools = 512;

// A string, or blocks of which each is given to `take`.
template <class Take>
void read_blocks(const json::Value& content, const std::string& path, Reading& reading, const Take& take) {
  if (content.is_string()) {
    const json::Object block{{"type", "text"}, {"text", content.get_string()}};
    Fields fields(&block, path, reading);
    fields.skip("type");
    return take("text", fields);
  }
  if (!content.is_array() || content.get_array().size() > most_blocks)
    return reading.refuse(path, Code::bad_input, fmt::format("{}: must be a string or an array of at most {} blocks", path, most_blocks));
  const json::Array& blocks = content.get_array();
  for (std::size_t i = 0; i < blocks.size() && !reading.error; ++i) {
    const std::string at = fmt::format("{}[{}]", path, i);
    const json::Object* block = blocks[i].if_object();
    if (block == nullptr) return reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
    Fields fields(block, at, reading);
    fields.require("type");
    const std::string type = fields.text("type").value_or("");
    fields.skip("cache_control");  // every prefix is kept
    fields.skip("citations");
    take(type, fields);
    fields.warn_of_the_rest();
  }
}

// The text of a block that is one, or of a document that holds plain text.
std::string read_text(const std::string& type, Fields& block) {
  if (type == "text") {
    block.require("text");
    return block.text("text").value_or("");
  }
  if (type == "document") {
    const json::Object* source = block.object("source");
    Fields inside(source, block.path_of("source"), block.reading());
    const std::string kind = inside.text("type").value_or("");
    inside.skip("media_type");
    const std::string title = block.text("title").value_or(""), context = block.text("context").value_or("");
    if (kind == "text")
      return (title.empty() ? "" : title + "\n") + (context.empty() ? "" : context + "\n") + inside.text("data").value_or("");
  }
  const std::string at = block.path_of("type");
  block.reading().refuse(at, Code::unsupported, fmt::format("{}: {} is not read by this model; send text", at, quoted(type)));
  return {};
}

std::string joined_text(const json::Value* content, const std::string& path, Reading& reading) {
  std::string all;
  if (content == nullptr) return all;
  read_blocks(*content, path, reading, [&](const std::string& type, Fields& block) {
    if (!all.empty()) all += "\n";
    all += read_text(type, block);
  });
  return all;
}

class ChatReader {
 public:
  explicit ChatReader(text::Chat& chat) : messages_(chat.messages) {}

  void system(std::string text) {
    if (!text.empty()) messages_.push_back({.role = "system", .content = std::move(text)});
  }

  void turn(const std::string& role, const json::Value& content, const std::string& path, Reading& reading) {
    if (role == "assistant") {
      read_blocks(content, path, reading, [&](const std::string& type, Fields& block) { assistant_block(type, block); });
      if (messages_.empty() || messages_.back().role != "assistant") messages_.push_back({.role = "assistant"});
    } else {
      // Results go to their calls, before what the user says beside them.
      std::vector<std::string> texts;
      read_blocks(content, path, reading, [&](const std::string& type, Fields& block) {
        if (type == "tool_result") {
          tool_result(block);
        } else {
          texts.push_back(read_text(type, block));
        }
      });
      for (std::string& text : texts) add_text(role, std::move(text));
    }
  }

 private:
  text::Message& last_of(const std::string& role) {
    if (messages_.empty() || messages_.back().role != role) messages_.push_back({.role = role});
    return messages_.back();
  }

  // Texts of one turn are parts of one message; so are turns of one role that follow each other.
  void add_text(const std::string& role, std::string text) {
    text::Message& message = last_of(role);
    if (!message.content.empty()) {
      if (message.parts.empty()) message.parts.push_back(message.content);
      message.parts.push_back(text);
    }
    message.content += text;
  }

  void assistant_block(const std::string& type, Fields& block) {
    if (type == "text") {
      add_text("assistant", read_text(type, block));
    } else if (type == "thinking") {
      last_of("assistant").reasoning += block.text("thinking").value_or("");
      block.skip("signature");  // any is taken: nothing hangs on it
    } else if (type == "redacted_thinking") {
      last_of("assistant");
    } else if (type == "tool_use") {
      block.require("id");
      block.require("name");
      const json::Object* input = block.object("input");
      last_of("assistant")
          .tool_calls.push_back(
              {block.text("id").value_or(""), block.text("name").value_or(""), input != nullptr ? json::print(*input) : "{}"});
    } else {
      const std::string at = block.path_of("type");
      block.reading().refuse(at, Code::unsupported,
                             fmt::format("{}: {} is not offered; send text, thinking and tool_use", at, quoted(type)));
    }
  }

  void tool_result(Fields& block) {
    block.require("tool_use_id");
    text::Message result{.role = "tool", .tool_call_id = block.text("tool_use_id").value_or("")};
    const bool is_error = block.boolean("is_error").value_or(false);
    result.content = (is_error ? "Error: " : "") + joined_text(block.any("content"), block.path_of("content"), block.reading());
    messages_.push_back(std::move(result));
  }

  std::vector<text::Message>& messages_;
};

}  // namespace

void read_chat(Fields& fields, serve::ReplyRequest& request) {
  Reading& reading = fields.reading();
  ChatReader chat(request.chat);
  if (const json::Value* system = fields.any("system")) chat.system(joined_text(system, "system", reading));
  fields.require("messages");
  const json::Array* messages = fields.array("messages", most_messages);
  if (messages == nullptr) return;
  if (messages->empty()) return reading.refuse("messages", Code::bad_input, "messages: at least one message is required");
  for (std::size_t i = 0; i < messages->size() && !reading.error; ++i) {
    const std::string at = fmt::format("messages[{}]", i);
    const json::Object* object = (*messages)[i].if_object();
    if (object == nullptr) return reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
    Fields message(object, at, reading);
    message.require("role");
    message.require("content");
    const std::string role = message.text("role").value_or("");
    const json::Value* content = message.any("content");
    if (reading.error) return;
    if (role != "user" && role != "assistant" && role != "system")
      return reading.refuse(at + ".role", Code::bad_input, fmt::format("{}.role: {} is neither user nor assistant", at, quoted(role)));
    chat.turn(role, *content, at + ".content", reading);
    message.warn_of_the_rest();
  }
  const text::Message& last = request.chat.messages.back();
  if (reading.error || last.role != "assistant") return;
  if (last.content.empty() || !last.tool_calls.empty())
    return reading.refuse("messages", Code::bad_input,
                          "messages: the last turn is the assistant's and has no text to go on from; add a user's turn");
  request.chat.continue_final_message = true;
  request.chat.add_generation_prompt = false;
}

void read_tools(Fields& fields, serve::ReplyRequest& request) {
  using Choice = text::ToolChoice::Kind;
  Reading& reading = fields.reading();
  json::Array tools;
  if (const json::Array* given = fields.array("tools", most_tools)) {
    for (std::size_t i = 0; i < given->size() && !reading.error; ++i) {
      const std::string at = fmt::format("tools[{}]", i);
      const json::Object* object = (*given)[i].if_object();
      if (object == nullptr) return reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
      Fields tool(object, at, reading);
      tool.require("name");
      const std::string type = tool.text("type").value_or("custom");
      if (type != "custom")
        return reading.refuse(
            at + ".type", Code::unsupported,
            fmt::format("{}.type: this server runs no tools of its own, {} among them; define it with an input_schema", at, quoted(type)));
      json::Object function{{"name", tool.text("name").value_or("")}};
      if (const auto description = tool.text("description")) function["description"] = *description;
      if (const json::Object* schema = tool.object("input_schema")) function["parameters"] = *schema;
      for (const std::string_view known :
           {"strict", "cache_control", "eager_input_streaming", "defer_loading", "input_examples", "allowed_callers"})
        tool.skip(known);
      tool.warn_of_the_rest();
      tools.push_back(json::Object{{"type", "function"}, {"function", std::move(function)}});
    }
  }
  std::vector<std::string> names;
  if (!tools.empty() && !reading.error) {
    const auto read = text::read_tools(tools);
    if (!read) return reading.refuse("tools", read.error().code, read.error().message);
    for (const text::Tool& tool : *read) names.push_back(tool.name);
    request.chat.tools = std::move(tools);
  }
  const json::Object* choice = fields.object("tool_choice");
  if (choice == nullptr) return;
  Fields inside(choice, "tool_choice", reading);
  inside.require("type");
  const std::string type = inside.text("type").value_or("");
  if (inside.boolean("disable_parallel_tool_use").value_or(false)) request.calls = text::Calls::one;
  if (type == "none") {
    request.tool_choice.kind = Choice::none;
  } else if (type == "any") {
    request.tool_choice.kind = Choice::required;
  } else if (type == "tool") {
    inside.require("name");
    request.tool_choice = {Choice::named, inside.text("name").value_or("")};
    if (std::find(names.begin(), names.end(), request.tool_choice.name) == names.end())
      reading.refuse("tool_choice.name", Code::bad_input,
                     fmt::format("tool_choice.name: {} is not among the tools; name one of them", quoted(request.tool_choice.name)));
  } else if (type != "auto") {
    reading.refuse("tool_choice.type", Code::bad_input, "tool_choice.type: give auto, any, tool or none");
  }
  if (request.tool_choice.kind == Choice::required && names.empty())
    reading.refuse("tool_choice", Code::bad_input, "tool_choice: there are no tools to use; send tools too");
  inside.warn_of_the_rest();
}

ShowThinking read_output(Fields& fields, serve::ReplyRequest& request) {
  Reading& reading = fields.reading();
  const auto read_format = [&](Fields& where, std::string_view name) {
    const json::Object* format = where.object(name);
    if (format == nullptr) return;
    Fields inside(format, where.path_of(name), reading);
    const std::string type = inside.text("type").value_or("");
    const json::Value* schema = inside.any("schema");
    if (type != "json_schema" || schema == nullptr)
      return reading.refuse(where.path_of(name), Code::bad_input,
                            fmt::format("{}: give {{\"type\": \"json_schema\", \"schema\": …}}", where.path_of(name)));
    request.form = serve::JsonSchema{*schema};
    request.form_field = "output_config.format";
    inside.warn_of_the_rest();
  };
  read_format(fields, "output_format");  // as the beta called it
  if (const json::Object* config = fields.object("output_config")) {
    Fields inside(config, "output_config", reading);
    if (const auto effort = inside.text("effort")) request.chat.template_arguments["reasoning_effort"] = *effort;
    read_format(inside, "format");
    inside.warn_of_the_rest();
  }
  ShowThinking show = ShowThinking::yes;
  if (fields.has("thinking")) {
    const json::Value* thinking = fields.any("thinking");
    const json::Object* object = thinking != nullptr ? thinking->if_object() : nullptr;
    const json::Value* display = object != nullptr ? object->if_contains("display") : nullptr;
    if (display != nullptr && *display == json::Value("omitted")) show = ShowThinking::no;
  }
  read_thinking(fields, request);
  return show;
}

}  // namespace qn::api::anthropic
