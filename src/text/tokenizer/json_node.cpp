#include "text/tokenizer/json_node.h"

namespace qn::text {
namespace {

const json::Value null_value;

}  // namespace

const char* JsonNode::kind() const {
  switch (value_->kind()) {
    case boost::json::kind::null: return "nothing";
    case boost::json::kind::bool_: return "boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return "number";
    case boost::json::kind::string: return "string";
    case boost::json::kind::array: return "array";
    case boost::json::kind::object: return "object";
  }
  return "value";
}

JsonNode JsonNode::operator[](std::string_view key) const {
  std::string path = path_;
  path += path.find(": ") == std::string::npos ? ": " : ".";  // the file's name, then the way inside it
  path += key;
  const json::Object* members = value_->if_object();
  const json::Value* member = members == nullptr ? nullptr : members->if_contains(key);
  return {member == nullptr ? null_value : *member, std::move(path)};
}

JsonNode JsonNode::element(std::size_t index) const {
  return {(*value_->if_array())[index], fmt::format("{}[{}]", path_, index)};
}

Result<std::string_view> JsonNode::text() const {
  if (const auto* string = value_->if_string()) return std::string_view(string->data(), string->size());
  return expected("string");
}

std::optional<std::string_view> JsonNode::text_if_any() const {
  if (const auto* string = value_->if_string()) return std::string_view(string->data(), string->size());
  return std::nullopt;
}

Result<const json::Object*> JsonNode::object() const {
  if (const auto* members = value_->if_object()) return members;
  return expected("object");
}

Result<const json::Array*> JsonNode::array() const {
  if (const auto* elements = value_->if_array()) return elements;
  return expected("array");
}

Result<std::int64_t> JsonNode::integer() const {
  if (const auto* number = value_->if_int64()) return *number;
  return expected("integer");
}

Result<bool> JsonNode::boolean(bool where_missing) const {
  if (value_->is_null()) return where_missing;
  if (const bool* truth = value_->if_bool()) return *truth;
  return expected("boolean");
}

tl::unexpected<Error> JsonNode::expected(std::string_view what) const {
  return wrong(Code::bad_input, "expected {}, got {}; correct the file", what, kind());
}

}  // namespace qn::text
