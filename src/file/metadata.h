// Metadata of a model file: typed values by key, in file order. A getter that finds another type than asked for is an error, never a guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace qn::file {

template <class T>
struct ArrayOf {
  std::vector<T> values;
};

using MetaValue = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float, bool,
                               std::string, std::uint64_t, std::int64_t, double, ArrayOf<std::uint8_t>, ArrayOf<std::int8_t>,
                               ArrayOf<std::uint16_t>, ArrayOf<std::int16_t>, ArrayOf<std::uint32_t>, ArrayOf<std::int32_t>, ArrayOf<float>,
                               ArrayOf<bool>, ArrayOf<std::string>, ArrayOf<std::uint64_t>, ArrayOf<std::int64_t>, ArrayOf<double>>;

class Metadata {
 public:
  bool set(std::string key, MetaValue value);  // false if the key is there already (nothing changes)
  const MetaValue* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // Optional getters: none where the key is absent; an error where its type is another. Integers of any width convert if they fit.
  Result<std::optional<std::int64_t>> integer(std::string_view key) const;
  Result<std::optional<double>> number(std::string_view key) const;  // float or integer
  Result<std::optional<bool>> boolean(std::string_view key) const;
  Result<std::optional<std::string>> text(std::string_view key) const;
  Result<const std::vector<std::string>*> texts(std::string_view key) const;  // null where absent
  Result<std::optional<std::vector<std::int64_t>>> integers(std::string_view key) const;
  Result<const std::vector<float>*> floats(std::string_view key) const;  // null where absent

  const std::vector<std::pair<std::string, MetaValue>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, MetaValue>> entries_;
  std::map<std::string, std::size_t, std::less<>> index_;  // ordered: keys come from outside and may be made to collide in a hash table
};

}  // namespace qn::file
