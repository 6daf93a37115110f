#include <cmath>
#include <type_traits>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/inspect/facts.h"

namespace qn::cli {
namespace {

// JSON has no NaN and no infinities: they become the words that Python's float() reads.
json::Value number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return value;
}

template <class T>
json::Value as_json(const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    return json::Value(utf8::replace_invalid(value));
  else if constexpr (std::is_floating_point_v<T>)
    return number(static_cast<double>(value));
  else
    return value;
}

template <class T>
json::Value as_json(const file::ArrayOf<T>& array) {
  json::Array out;
  out.reserve(array.values.size());
  for (const auto& value : array.values) out.push_back(as_json(static_cast<const T&>(value)));
  return out;
}

json::Object memory_as_json(const ModelFacts& facts) {
  return {{"weight_bytes", facts.memory.weight_bytes},
          {"kv_type", "f16"},
          {"kv_bytes_per_token", facts.memory.kv_bytes_per_token},
          {"context_tokens", facts.sizes->context},
          {"kv_bytes", facts.memory.kv_bytes},
          {"working_bytes", facts.memory.working_bytes},
          {"total_bytes", facts.memory.total_bytes()}};
}

json::Array tensors_as_json(const file::Checkpoint& checkpoint) {
  json::Array tensors;
  for (const file::TensorEntry& tensor : checkpoint.tensors) {
    json::Array shape(tensor.shape.begin(), tensor.shape.end());
    tensors.push_back(json::Object{{"name", utf8::replace_invalid(tensor.name)},
                                   {"type", std::string(tensor.format->name)},
                                   {"shape", std::move(shape)},
                                   {"bytes", tensor.bytes.size()}});
  }
  return tensors;
}

}  // namespace

std::string facts_as_json(const ModelFacts& facts, const file::Checkpoint& checkpoint) {
  json::Array types;
  for (const TypeFacts& type : facts.types)
    types.push_back(
        json::Object{{"type", std::string(type.type)}, {"tensors", type.tensors}, {"parameters", type.parameters}, {"bytes", type.bytes}});
  json::Object metadata, metadata_types;
  for (const auto& [key, value] : checkpoint.metadata.entries()) {
    const std::string name = utf8::replace_invalid(key);
    metadata[name] = std::visit([](const auto& held) { return as_json(held); }, value);
    metadata_types[name] = type_name(value);
  }
  json::Object all;
  all["file"] = utf8::replace_invalid(facts.source);
  all["file_bytes"] = facts.file_bytes;
  all["parts"] = facts.parts;
  all["architecture"] = utf8::replace_invalid(facts.architecture);
  all["name"] = utf8::replace_invalid(facts.name);
  all["parameters"] = facts.parameters;
  all["runs"] = facts.why_not.empty();
  all["why_not"] = utf8::replace_invalid(facts.why_not);
  all["types"] = std::move(types);
  all["memory"] = facts.sizes ? json::Value(memory_as_json(facts)) : json::Value(nullptr);
  all["chat_template"] = utf8::replace_invalid(facts.template_text);
  all["metadata"] = std::move(metadata);
  all["metadata_types"] = std::move(metadata_types);
  all["tensors"] = tensors_as_json(checkpoint);
  return json::print(all);
}

}  // namespace qn::cli
