// A JSON value and the path to it, so that an error can say where. Reading never throws and never allocates by a count from the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace qn::text {

class JsonNode {
 public:
  JsonNode(const json::Value& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_null() const { return value_->is_null(); }
  const char* kind() const;  // "string", "object", …

  // The member of an object; a null node where it is missing or this is no object.
  JsonNode operator[](std::string_view key) const;

  Result<std::string_view> text() const;
  Result<const json::Object*> object() const;
  Result<const json::Array*> array() const;
  JsonNode element(std::size_t index) const;  // of an array that has it
  Result<std::int64_t> integer() const;
  Result<bool> boolean(bool where_missing) const;
  std::optional<std::string_view> text_if_any() const;

  tl::unexpected<Error> expected(std::string_view what) const;
  template <class... Args>
  tl::unexpected<Error> wrong(Code code, fmt::format_string<Args...> text, Args&&... args) const {
    return fail(code, "{}: {}", path_, fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  const json::Value* value_;
  std::string path_;
};

}  // namespace qn::text
