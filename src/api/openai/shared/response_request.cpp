#include "api/openai/shared/response_request.h"

#include <utility>

#include "api/openai/shared/messages.h"

namespace qn::api::openai {
namespace {

constexpr std::size_t most_items = 4096, most_tools = 512;

// Items to messages: what the model thought, said and called in one turn is one message.
class ItemReader {
 public:
  ItemReader(text::Chat& chat, Reading& reading) : messages_(chat.messages), reading_(reading) {}

  void read(const json::Object& item, const std::string& at) {
    Fields fields(&item, at, reading_);
    const std::string type = fields.text("type").value_or(fields.has("role") ? "message" : "");
    for (const std::string_view known : {"id", "status", "phase"}) fields.skip(known);
    if (type == "message") {
      message(fields, at);
    } else if (type == "function_call") {
      fields.require("name");
      fields.require("call_id");
      const std::string arguments = fields.text("arguments").value_or("");
      assistant().tool_calls.push_back(
          {fields.text("call_id").value_or(""), fields.text("name").value_or(""), arguments.empty() ? "{}" : arguments});
    } else if (type == "function_call_output") {
      fields.require("call_id");
      fields.require("output");
      text::Message result{.role = "tool", .tool_call_id = fields.text("call_id").value_or("")};
      fill(result, fields, "output");
      messages_.push_back(std::move(result));
    } else if (type == "reasoning") {
      reasoning(fields, at);
    } else {
      return reading_.refuse(
          at + ".type", Code::unsupported,
          fmt::format("{}.type: {} is not read; send message, function_call, function_call_output or reasoning", at, quoted(type)));
    }
    fields.warn_of_the_rest();
  }

 private:
  text::Message& assistant() {
    if (messages_.empty() || messages_.back().role != "assistant") messages_.push_back({.role = "assistant"});
    return messages_.back();
  }

  void fill(text::Message& message, Fields& fields, std::string_view name) {
    const json::Value* content = fields.any(name);
    if (content == nullptr) return;
    message.parts = read_content(*content, fields.path_of(name), reading_);
    for (const std::string& part : message.parts) message.content += part;
    if (message.parts.size() < 2) message.parts.clear();
  }

  void message(Fields& fields, const std::string& at) {
    fields.require("role");
    fields.require("content");
    std::string role = fields.text("role").value_or("");
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant")
      return reading_.refuse(at + ".role", Code::bad_input,
                             fmt::format("{}.role: {} is none of system, developer, user, assistant", at, quoted(role)));
    text::Message message{.role = role};
    fill(message, fields, "content");
    const bool joins =
        role == "assistant" && !messages_.empty() && messages_.back().role == "assistant" && messages_.back().content.empty();
    if (joins) {
      messages_.back().content = std::move(message.content);
      messages_.back().parts = std::move(message.parts);
    } else {
      messages_.push_back(std::move(message));
    }
  }

  // The thought as it was, else its summary; what is opaque says the same again.
  void reasoning(Fields& fields, const std::string& at) {
    std::string thought;
    for (const std::string_view name : {"content", "summary"}) {
      const json::Array* parts = fields.array(name, most_items);
      if (parts == nullptr || !thought.empty()) continue;
      for (std::size_t i = 0; i < parts->size(); ++i) {
        Fields part((*parts)[i].if_object(), fmt::format("{}.{}[{}]", at, name, i), reading_);
        part.skip("type");
        thought += part.text("text").value_or("");
      }
    }
    fields.skip("encrypted_content");
    // A thought begins a turn of the model, unless nothing was said or called since the last.
    if (messages_.empty() || messages_.back().role != "assistant" || !messages_.back().content.empty() ||
        !messages_.back().tool_calls.empty())
      messages_.push_back({.role = "assistant"});
    messages_.back().reasoning += thought;
  }

  std::vector<text::Message>& messages_;
  Reading& reading_;
};

void read_input(Fields& fields, serve::ReplyRequest& request) {
  Reading& reading = fields.reading();
  fields.require("input");
  const json::Value* input = fields.any("input");
  if (input == nullptr) return;
  if (input->is_string()) {
    request.chat.messages.push_back({.role = "user", .content = std::string(input->get_string())});
    return;
  }
  const json::Array* items = input->if_array();
  if (items == nullptr || items->empty() || items->size() > most_items)
    return reading.refuse("input", Code::bad_input, fmt::format("input: must be a string or an array of 1 to {} items", most_items));
  ItemReader reader(request.chat, reading);
  for (std::size_t i = 0; i < items->size() && !reading.error; ++i) {
    const std::string at = fmt::format("input[{}]", i);
    const json::Object* item = (*items)[i].if_object();
    if (item == nullptr) return reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
    reader.read(*item, at);
  }
}

// Tools are flat here; inside a "function" they are those of chat completions, which has the rest of the rules.
void read_flat_tools(Fields& fields, serve::ReplyRequest& request, json::Object& echo) {
  Reading& reading = fields.reading();
  json::Object chat;
  json::Array tools, shown;
  if (const json::Array* given = fields.array("tools", most_tools)) {
    for (std::size_t i = 0; i < given->size() && !reading.error; ++i) {
      const std::string at = fmt::format("tools[{}]", i);
      const json::Object* tool = (*given)[i].if_object();
      if (tool == nullptr) return reading.refuse(at, Code::bad_input, fmt::format("{}: must be of type object", at));
      Fields inside(tool, at, reading);
      const std::string type = inside.text("type").value_or("function");
      if (type != "function") {
        reading.warn(at, "ignored", fmt::format("this server runs no tools of its own, '{}' among them", quoted(type)));
        continue;
      }
      json::Object function = *tool;
      function.erase("type");
      tools.push_back(json::Object{{"type", "function"}, {"function", std::move(function)}});
      shown.push_back(*tool);
    }
  }
  if (!tools.empty()) chat["tools"] = std::move(tools);
  if (const json::Value* choice = fields.any("tool_choice")) chat["tool_choice"] = *choice;
  const bool parallel = fields.boolean("parallel_tool_calls").value_or(true);
  chat["parallel_tool_calls"] = parallel;
  echo["tools"] = std::move(shown);
  echo["tool_choice"] = chat.contains("tool_choice") ? chat["tool_choice"] : json::Value("auto");
  echo["parallel_tool_calls"] = parallel;
  Fields as_chat(&chat, "", reading);
  read_tools(as_chat, request);
}

void read_text(Fields& fields, serve::ReplyRequest& request, json::Object& echo) {
  const json::Object* text = fields.object("text");
  json::Object shown{{"format", json::Object{{"type", "text"}}}};
  if (text != nullptr) {
    shown = *text;
    if (!shown.contains("format")) shown["format"] = json::Object{{"type", "text"}};
    Fields inside(text, "text", fields.reading());
    inside.ignore("verbosity", "the model decides");
    if (const json::Object* format = inside.object("format")) {
      Fields rules(format, "text.format", fields.reading());
      rules.require("type");
      const std::string type = rules.text("type").value_or("");
      for (const std::string_view known : {"name", "strict", "description"}) rules.skip(known);
      if (type == "json_schema") {
        rules.require("schema");
        if (const json::Value* schema = rules.any("schema")) {
          request.form = serve::JsonSchema{*schema};
          request.form_field = "text.format.schema";
        }
      } else if (type == "json_object") {
        request.form = serve::AnyJsonObject{};
      } else if (type != "text") {
        fields.reading().refuse("text.format.type", Code::bad_input, "text.format.type: give text, json_object or json_schema");
      }
      rules.warn_of_the_rest();
    }
    inside.warn_of_the_rest();
  }
  echo["text"] = std::move(shown);
}

void refuse_state(Fields& fields) {
  struct Missing {
    std::string_view name, what;
  };
  for (const Missing& missing : {Missing{"previous_response_id", "responses are not stored; send the whole conversation as input"},
                                 Missing{"conversation", "conversations are not stored; send the whole conversation as input"},
                                 Missing{"prompt", "there are no stored prompts; send instructions and input"}}) {
    if (fields.has(missing.name)) fields.reading().refuse(missing.name, Code::bad_input, fmt::format("{}: {}", missing.name, missing.what));
    fields.skip(missing.name);
  }
  if (fields.boolean("background").value_or(false))
    fields.reading().refuse("background", Code::bad_input, "background: responses are not stored; leave it out and wait for the answer");
}

}  // namespace

ResponseRequest read_response_request(Fields& fields) {
  ResponseRequest request;
  serve::ReplyRequest& reply = request.reply;
  json::Object& echo = request.echo;
  reply.fallback = default_parameters(Defaults::openai);
  const auto repeat = [&](std::string_view name, const json::Value& otherwise = nullptr) {
    const json::Value* value = fields.has(name) ? fields.any(name) : nullptr;
    echo[name] = value != nullptr ? *value : otherwise;
  };
  repeat("instructions");
  for (const std::string_view name : {"max_output_tokens", "max_tool_calls", "user", "safety_identifier", "prompt_cache_key"}) repeat(name);
  repeat("metadata", json::Object());
  repeat("reasoning", json::Object{{"effort", nullptr}, {"summary", nullptr}});
  repeat("truncation", "disabled");
  repeat("top_logprobs", 0);

  if (const auto instructions = fields.text("instructions"); instructions && !instructions->empty())
    reply.chat.messages.push_back({.role = "system", .content = *instructions});
  read_input(fields, reply);
  read_flat_tools(fields, reply, echo);
  read_text(fields, reply, echo);
  refuse_state(fields);
  read_sampling(fields, reply);
  read_thinking(fields, reply);
  if (const auto truncation = fields.text("truncation")) {
    if (*truncation == "auto") {
      reply.overflow = serve::Overflow::drop_oldest;
    } else if (*truncation != "disabled") {
      fields.reading().refuse("truncation", Code::bad_input, "truncation: give auto or disabled");
    }
  }
  if (const auto include = fields.texts("include", 64, 256)) {
    for (const std::string& name : *include) {
      if (name == "reasoning.encrypted_content") {
        request.encrypted_reasoning = true;
      } else if (name == "message.output_text.logprobs") {
        request.logprobs = true;
      } else {
        fields.reading().warn("include", "ignored", fmt::format("there is no '{}' here", quoted(name)));
      }
    }
  }
  if (const auto top = fields.integer("top_logprobs", 0, 20)) {
    reply.top_logprobs = static_cast<int>(*top);
    request.logprobs |= *top > 0;
  }
  if (request.logprobs && !reply.top_logprobs) reply.top_logprobs = 0;
  fields.ignore("max_tool_calls", "every call is the client's to answer");
  for (const std::string_view known : {"stream_options", "client_metadata"}) fields.skip(known);
  return request;
}

}  // namespace qn::api::openai
