#include "cli/chat/saved_chat.h"

#include "base/json.h"
#include "cli/state_files.h"

namespace qn::cli {
namespace {

constexpr std::string_view kind = "quern-chat";
constexpr std::int64_t version = 1;
constexpr std::size_t max_bytes = std::size_t{32} << 20;

Result<std::string> text_at(const json::Object& object, std::string_view key, std::string_view where) {
  const json::Value* value = object.if_contains(key);
  if (value == nullptr) return std::string();
  const auto* text = value->if_string();
  if (text == nullptr) return fail(Code::bad_input, "{}.{}: expected a string; the file is damaged", where, key);
  return std::string(text->data(), text->size());
}

Result<text::Message> read_message(const json::Value& value, std::size_t index) {
  const std::string where = fmt::format("messages[{}]", index);
  const json::Object* object = value.if_object();
  if (object == nullptr) return fail(Code::bad_input, "{}: expected an object; the file is damaged", where);
  text::Message message;
  QN_TRY(message.role, text_at(*object, "role", where));
  QN_TRY(message.content, text_at(*object, "content", where));
  QN_TRY(message.reasoning, text_at(*object, "thinking", where));
  if (message.role != "user" && message.role != "assistant" && message.role != "system")
    return fail(Code::bad_input, "{}.role: expected user, assistant or system, got {}", where, qn::quoted(message.role));
  return message;
}

Status read_parameters(const json::Value& value, serve::Parameters& parameters) {
  const json::Object* object = value.if_object();
  if (object == nullptr) return fail(Code::bad_input, "parameters: expected an object; the file is damaged");
  for (const auto& [name, values] : *object) {
    const json::Array* list = values.if_array();
    if (list == nullptr) return fail(Code::bad_input, "parameters.{}: expected an array; the file is damaged", std::string_view(name));
    for (const json::Value& item : *list) {
      const auto* text = item.if_string();
      if (text == nullptr) return fail(Code::bad_input, "parameters.{}: expected strings; the file is damaged", std::string_view(name));
      QN_OK(serve::set_parameter(parameters, name, std::string_view(*text)));
    }
  }
  return {};
}

}  // namespace

std::string print_saved_chat(const SavedChat& chat) {
  json::Object parameters;
  for (const serve::ParameterRow& row : serve::parameter_rows()) {
    json::Array values;
    for (const std::string& value : serve::parameter_values(chat.parameters, row)) values.emplace_back(value);
    if (!values.empty()) parameters[row.name] = std::move(values);
  }
  json::Array messages;
  for (const text::Message& message : chat.messages) {
    json::Object object{{"role", message.role}, {"content", message.content}};
    if (!message.reasoning.empty()) object["thinking"] = message.reasoning;
    messages.emplace_back(std::move(object));
  }
  const json::Object whole{{"kind", kind},
                           {"version", version},
                           {"model", chat.model},
                           {"system", chat.system},
                           {"parameters", std::move(parameters)},
                           {"messages", std::move(messages)}};
  return json::print(whole, json::Style::python) + "\n";
}

Result<SavedChat> parse_saved_chat(std::string_view text) {
  QN_TRY(const json::Value value, json::parse(text, {.depth = 16, .bytes = max_bytes}));
  const json::Object* object = value.if_object();
  if (object == nullptr) return fail(Code::bad_input, "saved chat: expected an object; this is no saved chat");
  QN_TRY(const std::string found_kind, text_at(*object, "kind", "saved chat"));
  const json::Value* found_version = object->if_contains("version");
  if (found_kind != kind) return fail(Code::bad_input, "saved chat: kind \"{}\" expected; this is no saved chat", kind);
  if (found_version == nullptr || !found_version->is_int64() || found_version->as_int64() != version)
    return fail(Code::unsupported, "saved chat: version {} expected; a newer quern may read it", version);
  SavedChat chat;
  QN_TRY(chat.model, text_at(*object, "model", "saved chat"));
  QN_TRY(chat.system, text_at(*object, "system", "saved chat"));
  if (const json::Value* parameters = object->if_contains("parameters")) QN_OK(read_parameters(*parameters, chat.parameters));
  if (const json::Value* messages = object->if_contains("messages")) {
    const json::Array* list = messages->if_array();
    if (list == nullptr) return fail(Code::bad_input, "messages: expected an array; the file is damaged");
    for (std::size_t i = 0; i < list->size(); ++i) {
      QN_TRY(text::Message message, read_message((*list)[i], i));
      chat.messages.push_back(std::move(message));
    }
  }
  return chat;
}

std::filesystem::path saved_chat_path(const std::string& name) {
  if (name.find('/') != std::string::npos || name.ends_with(".json")) return name;
  return state_directory() / "chats" / (name + ".json");
}

Status save_chat(const SavedChat& chat, const std::filesystem::path& path) {
  return replace_file(path, print_saved_chat(chat));
}

Result<SavedChat> load_chat(const std::filesystem::path& path) {
  QN_TRY(const std::string text, read_small_file(path, max_bytes));
  return parse_saved_chat(text);
}

}  // namespace qn::cli
