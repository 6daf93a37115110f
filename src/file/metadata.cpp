#include "file/metadata.h"

#include <type_traits>

namespace qn::file {
namespace {

template <class T>
inline constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <class T>
struct IsArray : std::false_type {};
template <class T>
struct IsArray<ArrayOf<T>> : std::true_type {
  using Element = T;
};

constexpr std::string_view kinds[] = {
    "an integer", "an integer", "an integer", "an integer", "an integer", "an integer",
    "a float",    "a boolean",  "text",       "an integer", "an integer", "a float",
};

std::string kind_of(const MetaValue& value) {
  const std::size_t scalar_kinds = std::size(kinds);
  if (value.index() < scalar_kinds) return std::string(kinds[value.index()]);
  return fmt::format("an array ({})", kinds[value.index() - scalar_kinds]);
}

tl::unexpected<Error> wrong_type(std::string_view key, std::string_view expected, const MetaValue& found) {
  return fail(Code::bad_input, "metadata key {}: expected {}, found {}; the file was written wrongly, convert the model again", quoted(key),
              expected, kind_of(found));
}

template <class T>
bool fits_int64(T value) {
  return !std::is_same_v<T, std::uint64_t> || value <= static_cast<T>(INT64_MAX);
}

}  // namespace

bool Metadata::set(std::string key, MetaValue value) {
  if (!index_.try_emplace(key, entries_.size()).second) return false;
  entries_.emplace_back(std::move(key), std::move(value));
  return true;
}

const MetaValue* Metadata::find(std::string_view key) const {
  const auto at = index_.find(key);
  return at == index_.end() ? nullptr : &entries_[at->second].second;
}

Result<std::optional<std::int64_t>> Metadata::integer(std::string_view key) const {
  using Answer = Result<std::optional<std::int64_t>>;
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& held) -> Answer {
        using T = std::decay_t<decltype(held)>;
        if constexpr (is_integer<T>) {
          if (fits_int64(held)) return static_cast<std::int64_t>(held);
          return fail(Code::bad_input, "metadata key {}: {} is past the range of a signed 64-bit integer; convert the model again",
                      quoted(key), held);
        } else {
          return wrong_type(key, "an integer", *value);
        }
      },
      *value);
}

Result<std::optional<double>> Metadata::number(std::string_view key) const {
  using Answer = Result<std::optional<double>>;
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& held) -> Answer {
        using T = std::decay_t<decltype(held)>;
        if constexpr (is_integer<T> || std::is_floating_point_v<T>) {
          return static_cast<double>(held);
        } else {
          return wrong_type(key, "a number", *value);
        }
      },
      *value);
}

Result<std::optional<bool>> Metadata::boolean(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* held = std::get_if<bool>(value)) return *held;
  return wrong_type(key, "a boolean", *value);
}

Result<std::optional<std::string>> Metadata::text(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* held = std::get_if<std::string>(value)) return *held;
  return wrong_type(key, "text", *value);
}

Result<const std::vector<std::string>*> Metadata::texts(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* held = std::get_if<ArrayOf<std::string>>(value)) return &held->values;
  return wrong_type(key, "an array (text)", *value);
}

Result<std::optional<std::vector<std::int64_t>>> Metadata::integers(std::string_view key) const {
  using Answer = Result<std::optional<std::vector<std::int64_t>>>;
  const MetaValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& held) -> Answer {
        using T = std::decay_t<decltype(held)>;
        if constexpr (IsArray<T>::value) {
          if constexpr (is_integer<typename IsArray<T>::Element>) {
            for (const auto element : held.values)
              if (!fits_int64(element))
                return fail(Code::bad_input, "metadata key {}: {} is past the range of a signed 64-bit integer; convert the model again",
                            quoted(key), element);
            return std::vector<std::int64_t>(held.values.begin(), held.values.end());
          }
        }
        return wrong_type(key, "an array (an integer)", *value);
      },
      *value);
}

Result<const std::vector<float>*> Metadata::floats(std::string_view key) const {
  const MetaValue* value = find(key);
  if (value == nullptr) return nullptr;
  if (const auto* held = std::get_if<ArrayOf<float>>(value)) return &held->values;
  return wrong_type(key, "an array (a float)", *value);
}

}  // namespace qn::file
