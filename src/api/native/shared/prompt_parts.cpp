#include "api/native/shared/prompt_parts.h"

#include <algorithm>
#include <limits>

namespace qn::api::native {

bool is_list_of_prompts(const json::Value& value) {
  const json::Array* list = value.if_array();
  return list != nullptr && std::ranges::none_of(*list, [](const json::Value& entry) { return entry.is_number(); });
}

RawPrompt read_prompt(const json::Value& value, const std::string& path, Reading& reading) {
  const auto wrong = [&] {
    reading.refuse(path, Code::bad_input, fmt::format("{}: give a string, token ids, or a list that mixes both", path));
    return RawPrompt();
  };
  if (value.is_string()) return serve::RawText{std::string(value.get_string())};
  if (const json::Object* object = value.if_object()) {
    Fields fields(object, path, reading);
    const std::optional<std::string> text = fields.text("prompt_string");
    const json::Array* data = fields.array("multimodal_data");
    if (!text) return wrong();
    if (data != nullptr && !data->empty())
      reading.refuse(path + ".multimodal_data", Code::unsupported,
                     fmt::format("{}.multimodal_data: this server's models read text only; leave it out", path));
    fields.warn_of_the_rest();
    return serve::RawText{*text};
  }
  const json::Array* list = value.if_array();
  if (list == nullptr || list->empty()) return wrong();
  serve::RawParts mixed;
  bool has_text = false;
  for (const json::Value& entry : *list) {
    if (entry.is_string()) {
      has_text = true;
      mixed.parts.emplace_back(std::string(entry.get_string()));
    } else if (entry.is_int64() && entry.get_int64() >= 0 && entry.get_int64() <= std::numeric_limits<TokenId>::max()) {
      mixed.parts.emplace_back(static_cast<TokenId>(entry.get_int64()));
    } else {
      return wrong();
    }
  }
  if (has_text) return mixed;
  std::vector<TokenId> ids;
  for (const auto& part : mixed.parts) ids.push_back(std::get<TokenId>(part));
  return ids;
}

}  // namespace qn::api::native
