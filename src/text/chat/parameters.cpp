// Parameters in XML, as Qwen3-Coder writes them. Strings go on as they come; anything else waits for its end, when its type can be told.
#include <algorithm>

#include "text/chat/call_readers.h"

namespace qn::text {
namespace {

constexpr std::string_view parameter_tag = "<parameter=", end_tag = "</function>", value_end = "</parameter>",
                           value_end_line = "\n</parameter>";
constexpr std::size_t max_key_bytes = 256, max_parameters = 256;
constexpr int max_depth = 16, max_visits = 1000;  // following references and choices to find a type

bool begins(std::string_view whole, std::string_view prefix) {
  return whole.substr(0, prefix.size()) == prefix;
}

unsigned type_named(std::string_view name) {
  if (name == "string") return json_type::string;
  if (name == "number") return json_type::number | json_type::integer;
  if (name == "integer") return json_type::integer;
  if (name == "boolean") return json_type::boolean;
  if (name == "null") return json_type::null;
  if (name == "object") return json_type::object;
  if (name == "array") return json_type::array;
  return 0;
}

unsigned type_of(const json::Value& value) {
  switch (value.kind()) {
    case boost::json::kind::string: return json_type::string;
    case boost::json::kind::double_: return json_type::number;
    case boost::json::kind::int64:
    case boost::json::kind::uint64: return json_type::integer;
    case boost::json::kind::bool_: return json_type::boolean;
    case boost::json::kind::null: return json_type::null;
    case boost::json::kind::object: return json_type::object;
    case boost::json::kind::array: return json_type::array;
  }
  return 0;
}

// #/$defs/name and the like: keys after keys, from the root of the schema.
const json::Value* follow(const json::Value& root, std::string_view reference) {
  if (!begins(reference, "#/")) return nullptr;
  reference.remove_prefix(2);
  const json::Value* at = &root;
  while (true) {
    const std::size_t slash = reference.find('/');
    const json::Object* object = at->if_object();
    at = object != nullptr ? object->if_contains(reference.substr(0, slash)) : nullptr;
    if (at == nullptr || slash == std::string_view::npos) return at;
    reference.remove_prefix(slash + 1);
  }
}

unsigned types_of(const json::Value& schema, const json::Value& root, int depth, int& visits) {
  const json::Object* object = schema.if_object();
  if (object == nullptr || depth > max_depth || ++visits > max_visits) return 0;
  if (const json::Value* type = object->if_contains("type")) {
    if (type->is_string()) return type_named(type->as_string());
    unsigned types = 0;
    if (const json::Array* several = type->if_array())
      for (const json::Value& one : *several)
        if (one.is_string()) types |= type_named(one.as_string());
    return types;
  }
  if (const json::Value* reference = object->if_contains("$ref"); reference != nullptr && reference->is_string()) {
    const json::Value* target = follow(root, reference->as_string());
    return target != nullptr ? types_of(*target, root, depth + 1, visits) : 0;
  }
  unsigned types = 0;
  for (const std::string_view key : {"anyOf", "oneOf", "allOf"}) {
    const json::Value* choices = object->if_contains(key);
    if (choices == nullptr || !choices->is_array()) continue;
    for (const json::Value& choice : choices->get_array()) types |= types_of(choice, root, depth + 1, visits);
  }
  if (const json::Value* values = object->if_contains("enum"); values != nullptr && values->is_array())
    for (const json::Value& value : values->get_array()) types |= type_of(value);
  if (const json::Value* value = object->if_contains("const")) types |= type_of(*value);
  return types;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

unsigned property_types(const json::Value& schema, std::string_view key) {
  const json::Object* object = schema.if_object();
  const json::Value* properties = object != nullptr ? object->if_contains("properties") : nullptr;
  const json::Object* table = properties != nullptr ? properties->if_object() : nullptr;
  const json::Value* property = table != nullptr ? table->if_contains(key) : nullptr;
  int visits = 0;
  const unsigned types = property != nullptr ? types_of(*property, schema, 0, visits) : 0;
  return types != 0 ? types : json_type::string;
}

std::string typed_json(std::string_view text, unsigned types) {
  const std::string_view core = trimmed(text);
  if ((types & json_type::null) != 0 && (core == "null" || core == "None")) return "null";
  if ((types & json_type::boolean) != 0 && (core == "true" || core == "True")) return "true";
  if ((types & json_type::boolean) != 0 && (core == "false" || core == "False")) return "false";
  if (types == json_type::string) return quoted_json(text);
  const auto value = json::parse(core);
  if (value && !value->is_string() && (type_of(*value) & types) != 0) return std::string(core);
  if ((types & json_type::string) != 0) return quoted_json(text);
  return value ? std::string(core) : quoted_json(text);
}

Took ParametersReader::feed(char byte, CallSink& sink) {
  switch (mode_) {
    case Mode::between:
      if (is_json_space(byte)) return Took::part;
      mode_ = Mode::tag;
      text_.clear();
      [[fallthrough]];
    case Mode::tag: return read_tag(byte, sink);
    case Mode::key:
      if (byte == '>') return begin_value(sink) ? Took::part : Took::bad;
      text_ += byte;
      return text_.size() > max_key_bytes ? Took::bad : Took::part;
    case Mode::value: break;
  }
  text_ += byte;
  if (text_ == value_end || text_ == value_end_line) {
    end_value(sink);
    return Took::part;
  }
  std::size_t sure = 0;  // bytes that cannot be of the end
  while (sure < text_.size() && !begins(value_end, std::string_view(text_).substr(sure)) &&
         !begins(value_end_line, std::string_view(text_).substr(sure)))
    ++sure;
  if (sure > 0) add_value(std::string_view(text_).substr(0, sure), sink);
  text_.erase(0, sure);
  return Took::part;
}

Took ParametersReader::read_tag(char byte, CallSink& sink) {
  text_ += byte;
  if (text_ == parameter_tag) {
    mode_ = Mode::key;
    text_.clear();
    return Took::part;
  }
  if (text_ == end_tag) {
    sink.add_arguments(keys_.empty() ? "{}" : "}");
    return Took::last;
  }
  return begins(parameter_tag, text_) || begins(end_tag, text_) ? Took::part : Took::bad;
}

bool ParametersReader::begin_value(CallSink& sink) {
  if (std::find(keys_.begin(), keys_.end(), text_) != keys_.end() || keys_.size() >= max_parameters) return false;
  types_ = property_types(sink.tool() != nullptr ? sink.tool()->parameters : json::Value(), text_);
  sink.add_arguments((keys_.empty() ? "{" : ", ") + quoted_json(text_) + (types_ == json_type::string ? ": \"" : ": "));
  keys_.push_back(std::move(text_));
  mode_ = Mode::value;
  at_first_byte_ = true;
  text_.clear();
  value_.clear();
  return true;
}

void ParametersReader::add_value(std::string_view bytes, CallSink& sink) {
  if (at_first_byte_ && bytes.front() == '\n') bytes.remove_prefix(1);
  at_first_byte_ = false;
  if (types_ != json_type::string) {
    value_ += bytes;
    return;
  }
  std::string piece;
  for (const char byte : bytes) escape_into(piece, byte);
  if (!piece.empty()) sink.add_arguments(piece);
}

void ParametersReader::end_value(CallSink& sink) {
  sink.add_arguments(types_ == json_type::string ? "\"" : typed_json(value_, types_));
  mode_ = Mode::between;
}

}  // namespace qn::text
