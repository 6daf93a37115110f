#include "api/fields.h"

#include <algorithm>
#include <cmath>

namespace qn::api {
namespace {

// An integer in JSON may be written 1, 1.0 or 1e3.
std::optional<std::int64_t> whole(const json::Value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_double()) {
    const double number = value.get_double();
    if (std::trunc(number) == number && std::abs(number) <= 9007199254740992.0) return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

std::optional<double> real(const json::Value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double()) return value.get_double();
  return std::nullopt;
}

}  // namespace

json::Array to_json(const std::vector<Warning>& warnings) {
  json::Array out;
  for (const Warning& warning : warnings)
    out.push_back(json::Object{{"param", warning.param}, {"action", warning.action}, {"detail", warning.detail}});
  return out;
}

void Reading::refuse(std::string_view at, Code code, std::string message) {
  if (error) return;
  error = Error{code, std::move(message)};
  param = at;
}

void Reading::warn(std::string_view at, std::string_view action, std::string_view detail) {
  constexpr std::size_t most = 64;  // a request of ten thousand unknown fields gets no ten thousand warnings
  if (warnings.size() < most) warnings.push_back({std::string(at), std::string(action), std::string(detail)});
}

Fields::Fields(const json::Object* object, std::string path, Reading& reading, Spelling spelling)
    : object_(object), path_(std::move(path)), reading_(reading), spelling_(spelling) {}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

const json::Value* Fields::take(std::string_view name) {
  taken_.emplace_back(name);
  if (object_ == nullptr || reading_.error) return nullptr;
  const json::Value* value = object_->if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Fields::has(std::string_view name) const {
  if (object_ == nullptr) return false;
  const json::Value* value = object_->if_contains(name);
  return value != nullptr && !value->is_null();
}

void Fields::require(std::string_view name) {
  if (!has(name)) reading_.refuse(path_of(name), Code::bad_input, fmt::format("{}: missing; it is required", path_of(name)));
}

void Fields::wrong_type(std::string_view name, std::string_view expected) {
  const std::string message = spelling_ == Spelling::ollama_option ? fmt::format("option \"{}\" must be of type {}", name, expected)
                                                                   : fmt::format("{}: must be of type {}", path_of(name), expected);
  reading_.refuse(path_of(name), Code::bad_input, message);
}

std::optional<bool> Fields::boolean(std::string_view name) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    wrong_type(name, "boolean");
    return std::nullopt;
  }
  return value->get_bool();
}

std::optional<double> Fields::number(std::string_view name, double low, double high) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = real(*value);
  if (!number) {
    wrong_type(name, spelling_ == Spelling::ollama_option ? "float32" : "number");
    return std::nullopt;
  }
  if (!(*number >= low && *number <= high)) {
    reading_.refuse(path_of(name), Code::bad_input,
                    fmt::format("{}: {} is out of range; give a number from {} to {}", path_of(name), *number, low, high));
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> Fields::integer(std::string_view name, std::int64_t low, std::int64_t high) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  const std::optional<std::int64_t> number = whole(*value);
  if (!number && !value->is_uint64()) {
    wrong_type(name, "integer");
    return std::nullopt;
  }
  if (!number || *number < low || *number > high) {
    reading_.refuse(path_of(name), Code::bad_input,
                    fmt::format("{}: out of range; give an integer from {} to {}", path_of(name), low, high));
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> Fields::text(std::string_view name) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    wrong_type(name, "string");
    return std::nullopt;
  }
  return std::string(value->get_string());
}

const json::Array* Fields::array(std::string_view name, std::size_t most) {
  const json::Value* value = take(name);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    wrong_type(name, "array");
    return nullptr;
  }
  if (value->get_array().size() > most) {
    reading_.refuse(path_of(name), Code::too_large,
                    fmt::format("{}: {} entries, at most {}; send fewer", path_of(name), value->get_array().size(), most));
    return nullptr;
  }
  return &value->get_array();
}

const json::Object* Fields::object(std::string_view name) {
  const json::Value* value = take(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    wrong_type(name, "object");
    return nullptr;
  }
  return &value->get_object();
}

const json::Value* Fields::any(std::string_view name) {
  return take(name);
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view name, std::size_t most, std::size_t longest) {
  const json::Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  std::vector<std::string> out;
  const auto add = [&](const json::Value& entry) {
    if (!entry.is_string()) {
      wrong_type(name, "string or array of strings");
    } else if (entry.get_string().size() > longest) {
      reading_.refuse(path_of(name), Code::too_large,
                      fmt::format("{}: an entry of {} bytes, at most {}; shorten it", path_of(name), entry.get_string().size(), longest));
    } else if (!entry.get_string().empty()) {
      out.emplace_back(entry.get_string());
    }
  };
  if (!value->is_array()) {
    add(*value);
  } else if (value->get_array().size() > most) {
    reading_.refuse(path_of(name), Code::too_large,
                    fmt::format("{}: {} entries, at most {}; send fewer", path_of(name), value->get_array().size(), most));
  } else {
    for (const json::Value& entry : value->get_array()) add(entry);
  }
  if (reading_.error) return std::nullopt;
  return out;
}

std::optional<std::vector<std::int64_t>> Fields::integers(std::string_view name, std::size_t most, std::int64_t low, std::int64_t high) {
  const json::Array* list = array(name, most);
  if (list == nullptr) return std::nullopt;
  std::vector<std::int64_t> out;
  out.reserve(list->size());
  for (const json::Value& entry : *list) {
    const std::optional<std::int64_t> number = whole(entry);
    if (!number || *number < low || *number > high) {
      reading_.refuse(path_of(name), Code::bad_input, fmt::format("{}: an entry is no integer from {} to {}", path_of(name), low, high));
      return std::nullopt;
    }
    out.push_back(*number);
  }
  return out;
}

void Fields::ignore(std::string_view name, std::string_view why) {
  if (take(name) != nullptr) reading_.warn(path_of(name), "ignored", why);
}

void Fields::warn_of_the_rest() {
  if (object_ == nullptr || reading_.error) return;
  for (const auto& field : *object_) {
    if (field.value().is_null() || std::ranges::find(taken_, field.key()) != taken_.end()) continue;
    reading_.warn(path_of(std::string_view(field.key()).substr(0, 64)), "ignored", "unknown field");
  }
}

}  // namespace qn::api
