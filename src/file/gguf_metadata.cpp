#include "file/gguf_metadata.h"

#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "file/gguf_format.h"

namespace qn::file::gguf {
namespace {

Result<bool> read_flag(Cursor& in, std::string_view field) {
  const std::size_t at = in.position();
  QN_TRY(const std::uint8_t value, in.take<std::uint8_t>(field));
  if (value > 1) return in.refuse(Code::bad_input, at, field, "expected a boolean (0 or 1), found {}; {}", value, damaged);
  return value == 1;
}

// Room for `count` elements of an array, each of at least `element_bytes` in the file.
template <class T>
Result<ArrayOf<T>> make_array(Cursor& in, std::uint64_t count, std::uint64_t element_bytes) {
  if (count > in.left() / element_bytes)
    return in.refuse(Code::bad_input, in.position(), "elements", "{} elements need at least {} bytes each, {} bytes left; {}", count,
                     element_bytes, in.left(), cut_short);
  QN_OK(in.charge(count * sizeof(T) + allocation_overhead, "elements"));
  ArrayOf<T> array;
  array.values.reserve(static_cast<std::size_t>(count));
  return array;
}

Result<MetaValue> read_texts(Cursor& in, std::uint64_t count) {
  QN_TRY(ArrayOf<std::string> array, make_array<std::string>(in, count, sizeof(std::uint64_t)));
  const std::size_t held_inside = std::string().capacity();  // shorter strings need no memory of their own
  for (std::uint64_t i = 0; i < count; ++i) {
    QN_TRY(const std::string_view text, in.take_text("element", in.limits().string_bytes));
    if (text.size() > held_inside) QN_OK(in.charge(text.size() + allocation_overhead, "element"));
    array.values.emplace_back(text);
  }
  return MetaValue(std::move(array));
}

Result<MetaValue> read_flags(Cursor& in, std::uint64_t count) {
  QN_TRY(ArrayOf<bool> array, make_array<bool>(in, count, 1));
  for (std::uint64_t i = 0; i < count; ++i) {
    QN_TRY(const bool flag, read_flag(in, "element"));
    array.values.push_back(flag);
  }
  return MetaValue(std::move(array));
}

template <class T>
Result<MetaValue> read_numbers(Cursor& in, std::uint64_t count) {
  QN_TRY(ArrayOf<T> array, make_array<T>(in, count, sizeof(T)));
  QN_TRY(const std::span<const std::byte> bytes, in.take_bytes("elements", count * sizeof(T)));
  array.values.resize(static_cast<std::size_t>(count));
  if (count != 0) std::memcpy(array.values.data(), bytes.data(), bytes.size());
  return MetaValue(std::move(array));
}

Result<MetaValue> read_array(Cursor& in) {
  const std::size_t type_at = in.position();
  QN_TRY(const std::uint32_t type, in.take<std::uint32_t>("element type"));
  const std::size_t count_at = in.position();
  QN_TRY(const std::uint64_t count, in.take<std::uint64_t>("element count"));
  if (count > in.limits().array_elements)
    return in.refuse(Code::too_large, count_at, "element count", "{} elements, at most {} accepted; {}", count, in.limits().array_elements,
                     damaged);
  switch (static_cast<Type>(type)) {
    case Type::u8: return read_numbers<std::uint8_t>(in, count);
    case Type::i8: return read_numbers<std::int8_t>(in, count);
    case Type::u16: return read_numbers<std::uint16_t>(in, count);
    case Type::i16: return read_numbers<std::int16_t>(in, count);
    case Type::u32: return read_numbers<std::uint32_t>(in, count);
    case Type::i32: return read_numbers<std::int32_t>(in, count);
    case Type::f32: return read_numbers<float>(in, count);
    case Type::boolean: return read_flags(in, count);
    case Type::text: return read_texts(in, count);
    case Type::u64: return read_numbers<std::uint64_t>(in, count);
    case Type::i64: return read_numbers<std::int64_t>(in, count);
    case Type::f64: return read_numbers<double>(in, count);
    case Type::array: return in.refuse(Code::unsupported, type_at, "element type", "an array of arrays; arrays of plain values are read");
  }
  return in.refuse(Code::bad_input, type_at, "element type", "{} is no metadata type, 0 to 12 are; {}", type, damaged);
}

Result<MetaValue> read_value(Cursor& in, Type type, std::uint64_t type_at) {
  switch (type) {
    case Type::u8: return in.take<std::uint8_t>("value");
    case Type::i8: return in.take<std::int8_t>("value");
    case Type::u16: return in.take<std::uint16_t>("value");
    case Type::i16: return in.take<std::int16_t>("value");
    case Type::u32: return in.take<std::uint32_t>("value");
    case Type::i32: return in.take<std::int32_t>("value");
    case Type::f32: return in.take<float>("value");
    case Type::u64: return in.take<std::uint64_t>("value");
    case Type::i64: return in.take<std::int64_t>("value");
    case Type::f64: return in.take<double>("value");
    case Type::array: return read_array(in);
    case Type::boolean: return read_flag(in, "value");
    case Type::text: {
      QN_TRY(const std::string_view text, in.take_text("value", in.limits().string_bytes));
      QN_OK(in.charge(text.size() + allocation_overhead, "value"));
      return MetaValue(std::string(text));
    }
  }
  return in.refuse(Code::bad_input, type_at, "type", "{} is no metadata type, 0 to 12 are; {}", static_cast<std::uint32_t>(type), damaged);
}

Result<std::uint64_t> read_alignment(const Cursor& in, const Metadata& metadata, std::uint64_t value_at) {
  const auto given = metadata.integer(alignment_key);
  if (!given) return in.refuse(Code::bad_input, value_at, "value", "expected an integer; {}", damaged);
  const std::int64_t alignment = given->value_or(default_alignment);
  const GgufLimits& limits = in.limits();
  if (alignment < static_cast<std::int64_t>(limits.min_alignment) || alignment > static_cast<std::int64_t>(limits.max_alignment) ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment)))
    return in.refuse(Code::bad_input, value_at, "value", "expected a power of two from {} to {}, found {}; {}", limits.min_alignment,
                     limits.max_alignment, alignment, damaged);
  return static_cast<std::uint64_t>(alignment);
}

}  // namespace

Result<KeyValues> read_metadata(Cursor& in, std::uint64_t key_count) {
  KeyValues read{{}, default_alignment};
  for (std::uint64_t i = 0; i < key_count; ++i) {
    in.about({"metadata key", {}, i});
    const std::size_t key_at = in.position();
    QN_TRY(const std::string_view key, in.take_text("key", in.limits().key_bytes));
    if (key.empty()) return in.refuse(Code::bad_input, key_at, "key", "it is empty; {}", damaged);
    in.about({"metadata key", key, {}});
    const std::size_t type_at = in.position();
    QN_TRY(const std::uint32_t type, in.take<std::uint32_t>("type"));
    const std::size_t value_at = in.position();
    QN_TRY(MetaValue value, read_value(in, static_cast<Type>(type), type_at));
    QN_OK(in.charge(2 * (key.size() + sizeof(std::pair<std::string, MetaValue>) + allocation_overhead), "key"));
    if (!read.metadata.set(std::string(key), std::move(value)))
      return in.refuse(Code::bad_input, key_at, "key", "it appears twice; {}", damaged);
    if (key == alignment_key) {
      QN_TRY(read.alignment, read_alignment(in, read.metadata, value_at));
    }
  }
  return read;
}

}  // namespace qn::file::gguf
