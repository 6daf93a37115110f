#include "file/gguf_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "file/gguf_format.h"

namespace qn::file {
namespace {

using gguf::Type;

constexpr std::string_view cut_short = "the file is cut short or damaged, fetch it again";
constexpr std::string_view damaged = "the file is damaged, fetch it again";
constexpr std::size_t allocation_overhead = 32;  // of malloc and of the containers around it, rounded up

// Files that people hand to us by mistake, by their first bytes.
struct Stranger {
  std::string_view opening, what, remedy;
};
constexpr Stranger strangers[] = {
    {"version https://git-lfs", "is a Git LFS pointer, not the file itself", "run git lfs pull"},
    {"<!DOCTYPE", "is a web page", "download the file itself, not its page"},
    {"<!doctype", "is a web page", "download the file itself, not its page"},
    {"<html", "is a web page", "download the file itself, not its page"},
    {"tjgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"fmgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"lmgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"PK\x03\x04", "is a zip archive or PyTorch file", "convert the original model to GGUF"},
};

// Reads front to back. Invariant: nothing is allocated for a count before the count was compared with the bytes left and the budget.
class Parser {
 public:
  Parser(std::span<const std::byte> image, std::string_view name, const GgufLimits& limits)
      : image_(image), in_(image), name_(name), limits_(limits) {}

  Result<GgufFile> run() {
    QN_OK(read_header());
    QN_OK(read_metadata());
    QN_OK(read_tensor_list());
    QN_OK(place_tensors());
    return std::move(file_);
  }

 private:
  struct Placement {
    std::uint64_t info_at;  // where the file describes the tensor
    std::uint64_t offset;   // in the tensor data
    std::uint64_t bytes;
  };

  // What is being read, for messages: "tensor 'output.weight'", or "tensor 7" while it has no name yet.
  struct Subject {
    std::string_view thing = "header";
    std::string_view name;
    std::optional<std::uint64_t> number;
  };

  template <class... Args>
  tl::unexpected<Error> refuse(Code code, std::uint64_t offset, std::string_view field, fmt::format_string<Args...> finding,
                               Args&&... args) const {
    std::string subject(subject_.thing);
    if (!subject_.name.empty())
      subject += " " + quoted(subject_.name);
    else if (subject_.number)
      subject += fmt::format(" {}", *subject_.number);
    return fail(code, "{}: {}, {} at offset {}: {}", quoted(name_, 256), subject, field, offset,
                fmt::format(finding, std::forward<Args>(args)...));
  }

  tl::unexpected<Error> too_short(std::string_view field, std::uint64_t needed) const {
    return refuse(Code::bad_input, in_.position(), field, "needs {} bytes, {} left; {}", needed, in_.left(), cut_short);
  }

  template <class T>
  Result<T> take(std::string_view field) {
    if (const auto value = in_.read<T>()) return *value;
    return too_short(field, sizeof(T));
  }

  Result<std::string_view> take_text(std::string_view field, std::uint64_t max_bytes) {
    const std::size_t at = in_.position();
    const auto bytes = in_.read<std::uint64_t>();
    if (!bytes) return too_short(field, sizeof(std::uint64_t));
    if (*bytes > max_bytes) return refuse(Code::too_large, at, field, "{} bytes long, at most {} accepted; {}", *bytes, max_bytes, damaged);
    if (const auto text = in_.read_text(*bytes)) return *text;
    return too_short(field, *bytes);
  }

  // Counts memory against the budget, before it is allocated.
  Status charge(std::uint64_t bytes, std::string_view field) {
    if (bytes <= limits_.decoded_bytes - file_.decoded_bytes) {
      file_.decoded_bytes += static_cast<std::size_t>(bytes);
      return {};
    }
    return refuse(Code::too_large, in_.position(), field, "metadata and tensor list would take more than {} MiB of memory; {}",
                  limits_.decoded_bytes >> 20, damaged);
  }

  Status read_header();
  Status read_metadata();
  Result<MetaValue> read_value(Type type, std::uint64_t type_at);
  Result<MetaValue> read_array();
  template <class T>
  Result<MetaValue> read_array_of(std::uint64_t count);
  Status read_tensor_list();
  Status read_tensor();
  Status read_shape(TensorEntry& tensor);
  Result<std::uint64_t> tensor_bytes(const TensorEntry& tensor, std::uint64_t at) const;
  Status read_alignment();
  Status place_tensors();
  Status check_names() const;
  Status check_overlap() const;
  tl::unexpected<Error> stranger() const;

  std::span<const std::byte> image_;
  ByteReader in_;
  std::string_view name_;
  GgufLimits limits_;
  Subject subject_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  std::uint64_t alignment_at_ = 0;     // offset of the value of general.alignment
  std::vector<Placement> placements_;  // of tensors, by place in the list
  GgufFile file_;
};

tl::unexpected<Error> Parser::stranger() const {
  const std::string_view text(reinterpret_cast<const char*>(image_.data()), image_.size());
  for (const Stranger& known : strangers)
    if (text.starts_with(known.opening)) return fail(Code::bad_input, "{}: {}; {}", quoted(name_, 256), known.what, known.remedy);
  return fail(Code::bad_input, "{}: begins with {}, expected 'GGUF'; give a GGUF file", quoted(name_, 256), quoted(text.substr(0, 4)));
}

Status Parser::read_header() {
  if (image_.empty()) return fail(Code::bad_input, "{}: the file is empty; fetch it again", quoted(name_, 256));
  const std::string_view opening(reinterpret_cast<const char*>(image_.data()), std::min(image_.size(), gguf::magic.size()));
  if (!gguf::magic.starts_with(opening)) return stranger();
  QN_TRY(std::uint32_t opened, take<std::uint32_t>("magic"));
  static_cast<void>(opened);
  const std::size_t version_at = in_.position();
  QN_TRY(file_.version, take<std::uint32_t>("version"));
  if (file_.version == 1)
    return refuse(Code::unsupported, version_at, "version",
                  "GGUF version 1 (of August 2023); versions 2 and 3 are read, convert the model again");
  if (file_.version != 0 && (file_.version & 0xffff) == 0)
    return refuse(Code::unsupported, version_at, "version", "a big-endian file; little-endian ones are read, convert the model again");
  if (file_.version != 2 && file_.version != 3)
    return refuse(Code::unsupported, version_at, "version", "GGUF version {}; versions 2 and 3 are read", file_.version);

  const std::size_t tensors_at = in_.position();
  QN_TRY(tensor_count_, take<std::uint64_t>("tensor count"));
  const std::size_t keys_at = in_.position();
  QN_TRY(key_count_, take<std::uint64_t>("key count"));
  if (tensor_count_ > limits_.tensors)
    return refuse(Code::too_large, tensors_at, "tensor count", "{} tensors, at most {} accepted; {}", tensor_count_, limits_.tensors,
                  damaged);
  if (key_count_ > limits_.metadata_keys)
    return refuse(Code::too_large, keys_at, "key count", "{} keys, at most {} accepted; {}", key_count_, limits_.metadata_keys, damaged);
  if (key_count_ > in_.left() / gguf::min_key_bytes)
    return refuse(Code::bad_input, keys_at, "key count", "{} keys cannot stand in the {} bytes left; {}", key_count_, in_.left(),
                  cut_short);
  if (tensor_count_ > in_.left() / gguf::min_tensor_bytes)
    return refuse(Code::bad_input, tensors_at, "tensor count", "{} tensors cannot stand in the {} bytes left; {}", tensor_count_,
                  in_.left(), cut_short);
  return {};
}

// --- metadata

Status Parser::read_metadata() {
  for (std::uint64_t i = 0; i < key_count_; ++i) {
    subject_ = {"metadata key", {}, i};
    const std::size_t key_at = in_.position();
    QN_TRY(std::string_view key, take_text("key", limits_.key_bytes));
    if (key.empty()) return refuse(Code::bad_input, key_at, "key", "it is empty; {}", damaged);
    subject_.name = key;
    const std::size_t type_at = in_.position();
    QN_TRY(std::uint32_t type, take<std::uint32_t>("type"));
    const std::size_t value_at = in_.position();
    QN_TRY(MetaValue value, read_value(static_cast<Type>(type), type_at));
    QN_OK(charge(2 * (key.size() + sizeof(std::pair<std::string, MetaValue>) + allocation_overhead), "key"));
    if (key == gguf::alignment_key) alignment_at_ = value_at;
    if (!file_.metadata.set(std::string(key), std::move(value)))
      return refuse(Code::bad_input, key_at, "key", "it appears twice; {}", damaged);
  }
  return {};
}

Result<MetaValue> Parser::read_value(Type type, std::uint64_t type_at) {
  switch (type) {
    case Type::u8: return take<std::uint8_t>("value");
    case Type::i8: return take<std::int8_t>("value");
    case Type::u16: return take<std::uint16_t>("value");
    case Type::i16: return take<std::int16_t>("value");
    case Type::u32: return take<std::uint32_t>("value");
    case Type::i32: return take<std::int32_t>("value");
    case Type::f32: return take<float>("value");
    case Type::u64: return take<std::uint64_t>("value");
    case Type::i64: return take<std::int64_t>("value");
    case Type::f64: return take<double>("value");
    case Type::array: return read_array();
    case Type::boolean: {
      const std::size_t at = in_.position();
      QN_TRY(std::uint8_t value, take<std::uint8_t>("value"));
      if (value > 1) return refuse(Code::bad_input, at, "value", "expected a boolean (0 or 1), found {}; {}", value, damaged);
      return MetaValue(value == 1);
    }
    case Type::text: {
      QN_TRY(std::string_view text, take_text("value", limits_.string_bytes));
      QN_OK(charge(text.size() + allocation_overhead, "value"));
      return MetaValue(std::string(text));
    }
  }
  return refuse(Code::bad_input, type_at, "type", "{} is no metadata type, 0 to 12 are; {}", static_cast<std::uint32_t>(type), damaged);
}

Result<MetaValue> Parser::read_array() {
  const std::size_t type_at = in_.position();
  QN_TRY(std::uint32_t type, take<std::uint32_t>("element type"));
  const std::size_t count_at = in_.position();
  QN_TRY(std::uint64_t count, take<std::uint64_t>("element count"));
  if (count > limits_.array_elements)
    return refuse(Code::too_large, count_at, "element count", "{} elements, at most {} accepted; {}", count, limits_.array_elements,
                  damaged);
  switch (static_cast<Type>(type)) {
    case Type::u8: return read_array_of<std::uint8_t>(count);
    case Type::i8: return read_array_of<std::int8_t>(count);
    case Type::u16: return read_array_of<std::uint16_t>(count);
    case Type::i16: return read_array_of<std::int16_t>(count);
    case Type::u32: return read_array_of<std::uint32_t>(count);
    case Type::i32: return read_array_of<std::int32_t>(count);
    case Type::f32: return read_array_of<float>(count);
    case Type::boolean: return read_array_of<bool>(count);
    case Type::text: return read_array_of<std::string>(count);
    case Type::u64: return read_array_of<std::uint64_t>(count);
    case Type::i64: return read_array_of<std::int64_t>(count);
    case Type::f64: return read_array_of<double>(count);
    case Type::array: return refuse(Code::unsupported, type_at, "element type", "an array of arrays; arrays of plain values are read");
  }
  return refuse(Code::bad_input, type_at, "element type", "{} is no metadata type, 0 to 12 are; {}", type, damaged);
}

template <class T>
Result<MetaValue> Parser::read_array_of(std::uint64_t count) {
  constexpr bool is_text = std::is_same_v<T, std::string>;
  constexpr std::uint64_t element_bytes = is_text ? sizeof(std::uint64_t) : sizeof(T);
  const std::size_t at = in_.position();
  if (count > in_.left() / element_bytes)
    return refuse(Code::bad_input, at, "elements", "{} elements need at least {} bytes each, {} bytes left; {}", count, element_bytes,
                  in_.left(), cut_short);
  QN_OK(charge(count * sizeof(T) + allocation_overhead, "elements"));
  ArrayOf<T> out;
  if constexpr (is_text) {
    const std::size_t held_inside = std::string().capacity();  // shorter strings need no memory of their own
    out.values.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      QN_TRY(const std::string_view text, take_text("element", limits_.string_bytes));
      if (text.size() > held_inside) QN_OK(charge(text.size() + allocation_overhead, "element"));
      out.values.emplace_back(text);
    }
  } else {
    const std::span<const std::byte> bytes = *in_.read_bytes(count * element_bytes);
    if constexpr (std::is_same_v<T, bool>) {
      out.values.reserve(bytes.size());
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto value = std::to_integer<unsigned>(bytes[i]);
        if (value > 1) return refuse(Code::bad_input, at + i, "element", "expected a boolean (0 or 1), found {}; {}", value, damaged);
        out.values.push_back(value == 1);
      }
    } else {
      out.values.resize(static_cast<std::size_t>(count));
      if (count != 0) std::memcpy(out.values.data(), bytes.data(), bytes.size());
    }
  }
  return MetaValue(std::move(out));
}

// --- tensors

Status Parser::read_tensor_list() {
  subject_ = {"tensor list", {}, {}};
  if (tensor_count_ > in_.left() / gguf::min_tensor_bytes)
    return refuse(Code::bad_input, in_.position(), "start", "{} tensors cannot stand in the {} bytes left; {}", tensor_count_, in_.left(),
                  cut_short);
  QN_OK(charge(tensor_count_ * (sizeof(TensorEntry) + sizeof(Placement) + 2 * sizeof(std::size_t)), "start"));
  file_.tensors.reserve(static_cast<std::size_t>(tensor_count_));
  placements_.reserve(static_cast<std::size_t>(tensor_count_));
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    subject_ = {"tensor", {}, i};
    QN_OK(read_tensor());
  }
  return {};
}

Status Parser::read_tensor() {
  const std::size_t info_at = in_.position();
  QN_TRY(std::string_view name, take_text("name", limits_.name_bytes));
  if (name.empty()) return refuse(Code::bad_input, info_at, "name", "it is empty; {}", damaged);
  subject_.name = name;
  QN_OK(charge(name.size() + 2 * allocation_overhead, "name"));
  TensorEntry tensor{std::string(name), nullptr, {}, {}};
  QN_OK(read_shape(tensor));
  const std::size_t type_at = in_.position();
  QN_TRY(std::uint32_t type, take<std::uint32_t>("type"));
  tensor.format = quant::find_format(type);
  if (tensor.format == nullptr)
    return refuse(Code::unsupported, type_at, "type",
                  "tensor type {} is not read by this version; convert or quantize the model to another type", type);
  QN_TRY(std::uint64_t bytes, tensor_bytes(tensor, type_at));
  QN_TRY(std::uint64_t offset, take<std::uint64_t>("data offset"));
  placements_.push_back({info_at, offset, bytes});
  file_.tensors.push_back(std::move(tensor));
  return {};
}

Status Parser::read_shape(TensorEntry& tensor) {
  const std::size_t at = in_.position();
  QN_TRY(std::uint32_t dimensions, take<std::uint32_t>("dimension count"));
  if (dimensions < 1 || dimensions > limits_.dimensions)
    return refuse(Code::bad_input, at, "dimension count", "expected 1 to {}, found {}; {}", limits_.dimensions, dimensions, damaged);
  std::uint64_t weights = 1;
  tensor.shape.reserve(dimensions);
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const std::size_t dimension_at = in_.position();
    QN_TRY(std::uint64_t dimension, take<std::uint64_t>("dimension"));
    if (dimension == 0) return refuse(Code::bad_input, dimension_at, "dimension", "it is 0; {}", damaged);
    const auto product = checked_mul(weights, dimension);
    if (!product || *product > static_cast<std::uint64_t>(INT64_MAX))
      return refuse(Code::bad_input, dimension_at, "dimension", "{} makes more weights than 64 bits can count; {}", dimension, damaged);
    weights = *product;
    tensor.shape.push_back(static_cast<std::int64_t>(dimension));
  }
  return {};
}

Result<std::uint64_t> Parser::tensor_bytes(const TensorEntry& tensor, std::uint64_t at) const {
  const quant::Format& format = *tensor.format;
  const auto block_weights = static_cast<std::int64_t>(format.block_weights);
  if (tensor.columns() % block_weights != 0)
    return refuse(Code::bad_input, at, "type", "a row of {} weights is no whole number of {} blocks of {}; {}", tensor.columns(),
                  format.name, block_weights, damaged);
  const auto blocks =
      static_cast<std::uint64_t>(tensor.columns() / block_weights) * static_cast<std::uint64_t>(tensor.rows());  // <= weights
  const auto bytes = checked_mul(blocks, static_cast<std::uint64_t>(format.block_bytes));
  if (!bytes)
    return refuse(Code::bad_input, at, "type", "{} blocks of {} need more bytes than 64 bits can count; {}", blocks, format.name, damaged);
  return *bytes;
}

Status Parser::read_alignment() {
  subject_ = {"metadata key", gguf::alignment_key, {}};
  const auto given = file_.metadata.integer(gguf::alignment_key);
  if (!given) return refuse(Code::bad_input, alignment_at_, "value", "expected an integer; {}", damaged);
  const std::int64_t alignment = given->value_or(gguf::default_alignment);
  if (alignment < static_cast<std::int64_t>(limits_.min_alignment) || alignment > static_cast<std::int64_t>(limits_.max_alignment) ||
      !std::has_single_bit(static_cast<std::uint64_t>(alignment)))
    return refuse(Code::bad_input, alignment_at_, "value", "expected a power of two from {} to {}, found {}; {}", limits_.min_alignment,
                  limits_.max_alignment, alignment, damaged);
  file_.alignment = static_cast<std::uint64_t>(alignment);
  return {};
}

// Tensor data follows the list; every offset must be aligned, every tensor in the file and apart from the others.
Status Parser::place_tensors() {
  QN_OK(read_alignment());
  file_.data_offset = in_.position() + gguf::padding(in_.position(), file_.alignment);
  for (std::size_t i = 0; i < file_.tensors.size(); ++i) {
    TensorEntry& tensor = file_.tensors[i];
    const Placement& place = placements_[i];
    subject_ = {"tensor", tensor.name, i};
    if (place.offset % file_.alignment != 0)
      return refuse(Code::bad_input, place.info_at, "data offset", "{} is no multiple of the alignment {}; {}", place.offset,
                    file_.alignment, damaged);
    const auto begin = checked_add(file_.data_offset, place.offset);
    const auto end = begin ? checked_add(*begin, place.bytes) : std::nullopt;
    if (!end) return refuse(Code::bad_input, place.info_at, "data offset", "{} is past the range of 64 bits; {}", place.offset, damaged);
    if (*end > image_.size())
      return refuse(Code::bad_input, place.info_at, "data", "it ends at byte {}, the file has {}; {}", *end, image_.size(), cut_short);
    tensor.bytes = image_.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(place.bytes));
  }
  QN_OK(check_names());
  return check_overlap();
}

Status Parser::check_names() const {
  std::vector<std::size_t> order(file_.tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return file_.tensors[a].name < file_.tensors[b].name; });
  const auto twice = std::adjacent_find(order.begin(), order.end(),
                                        [&](std::size_t a, std::size_t b) { return file_.tensors[a].name == file_.tensors[b].name; });
  if (twice == order.end()) return {};
  return fail(Code::bad_input, "{}: tensor {}, name at offset {}: it appears twice; {}", quoted(name_, 256),
              quoted(file_.tensors[*twice].name), std::max(placements_[twice[0]].info_at, placements_[twice[1]].info_at), damaged);
}

Status Parser::check_overlap() const {
  std::vector<std::size_t> order(placements_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return placements_[a].offset < placements_[b].offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Placement& before = placements_[order[i - 1]];
    const Placement& after = placements_[order[i]];
    if (before.offset + before.bytes > after.offset)
      return fail(Code::bad_input, "{}: tensor {}, data offset at offset {}: {} lies inside tensor {}; {}", quoted(name_, 256),
                  quoted(file_.tensors[order[i]].name), after.info_at, after.offset, quoted(file_.tensors[order[i - 1]].name), damaged);
  }
  return {};
}

}  // namespace

Result<GgufFile> parse_gguf(std::span<const std::byte> image, std::string_view name, const GgufLimits& limits) {
  return Parser(image, name, limits).run();
}

}  // namespace qn::file
