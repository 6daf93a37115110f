#include "file/gguf_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/checked.h"
#include "file/gguf_format.h"

namespace qn::file {
namespace {

using gguf::Type;

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return Type::u8;
  if constexpr (std::is_same_v<T, std::int8_t>) return Type::i8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Type::u16;
  if constexpr (std::is_same_v<T, std::int16_t>) return Type::i16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Type::u32;
  if constexpr (std::is_same_v<T, std::int32_t>) return Type::i32;
  if constexpr (std::is_same_v<T, float>) return Type::f32;
  if constexpr (std::is_same_v<T, bool>) return Type::boolean;
  if constexpr (std::is_same_v<T, std::string>) return Type::text;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Type::u64;
  if constexpr (std::is_same_v<T, std::int64_t>) return Type::i64;
  if constexpr (std::is_same_v<T, double>) return Type::f64;
}

// The header's bytes, in memory: a vocabulary makes it some megabytes.
class Encoder {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) {
    const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    out_.append(bytes.data(), bytes.size());
  }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    out_ += text;
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(Type type) { put(static_cast<std::uint32_t>(type)); }
  void put_raw(std::string_view bytes) { out_ += bytes; }

  template <class T>
  void put_value(const T& value) {
    put(type_of<T>());
    put(value);
  }
  template <class T>
  void put_value(const ArrayOf<T>& array) {
    put(Type::array);
    put(type_of<T>());
    put(std::uint64_t{array.values.size()});
    for (const auto& value : array.values) put(static_cast<const T&>(value));
  }

  std::size_t size() const { return out_.size(); }
  std::string text() && { return std::move(out_); }

 private:
  std::string out_;
};

Result<std::uint64_t> read_alignment(const Metadata& metadata, const GgufLimits& limits) {
  QN_TRY(const auto given, metadata.integer(gguf::alignment_key));
  const auto alignment = static_cast<std::uint64_t>(given.value_or(gguf::default_alignment));  // a negative one becomes too large
  if (alignment < limits.min_alignment || alignment > limits.max_alignment || !std::has_single_bit(alignment))
    return fail(Code::bad_input, "metadata key '{}': expected a power of two from {} to {}, found {}; leave it out", gguf::alignment_key,
                limits.min_alignment, limits.max_alignment, *given);
  return alignment;
}

// Bytes of text in a value, at most; 0 for numbers.
std::size_t longest_text(const MetaValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  std::size_t longest = 0;
  if (const auto* texts = std::get_if<ArrayOf<std::string>>(&value))
    for (const std::string& text : texts->values) longest = std::max(longest, text.size());
  return longest;
}

Status check_metadata(const Metadata& metadata, const GgufLimits& limits) {
  if (metadata.entries().size() > limits.metadata_keys)
    return fail(Code::too_large, "metadata: {} keys, at most {} accepted; leave some out", metadata.entries().size(), limits.metadata_keys);
  for (const auto& [key, value] : metadata.entries()) {
    if (key.empty() || key.size() > limits.key_bytes)
      return fail(Code::bad_input, "metadata key {}: {} bytes long, 1 to {} accepted; give it another name", quoted(key), key.size(),
                  limits.key_bytes);
    if (const std::size_t longest = longest_text(value); longest > limits.string_bytes)
      return fail(Code::too_large, "metadata key {}: text of {} bytes, at most {} accepted; shorten it", quoted(key), longest,
                  limits.string_bytes);
  }
  return {};
}

Result<std::uint64_t> tensor_bytes(const TensorInfo& tensor, const GgufLimits& limits) {
  if (tensor.name.empty() || tensor.name.size() > limits.name_bytes)
    return fail(Code::bad_input, "tensor {}: a name of {} bytes, 1 to {} accepted; give it another", quoted(tensor.name),
                tensor.name.size(), limits.name_bytes);
  if (tensor.shape.empty() || tensor.shape.size() > limits.dimensions)
    return fail(Code::bad_input, "tensor {}: {} dimensions, 1 to {} accepted; reshape it", quoted(tensor.name), tensor.shape.size(),
                limits.dimensions);
  std::uint64_t weights = 1;
  for (const std::int64_t dimension : tensor.shape) {
    const auto product = dimension > 0 ? checked_mul(weights, static_cast<std::uint64_t>(dimension)) : std::nullopt;
    if (!product) return fail(Code::bad_input, "tensor {}: a dimension of {}; give the shape of its data", quoted(tensor.name), dimension);
    weights = *product;
  }
  const auto block = static_cast<std::uint64_t>(tensor.format->block_weights);
  if (static_cast<std::uint64_t>(tensor.shape[0]) % block != 0)
    return fail(Code::bad_input, "tensor {}: a row of {} weights is no whole number of {} blocks of {}; choose another type",
                quoted(tensor.name), tensor.shape[0], tensor.format->name, block);
  const auto bytes = checked_mul(weights / block, static_cast<std::uint64_t>(tensor.format->block_bytes));
  if (!bytes || *bytes > static_cast<std::uint64_t>(INT64_MAX))
    return fail(Code::too_large, "tensor {}: {} weights are more than a file can hold; give the shape of its data", quoted(tensor.name),
                weights);
  return *bytes;
}

Result<std::vector<std::uint64_t>> check_tensors(std::span<const TensorInfo> tensors, const GgufLimits& limits) {
  if (tensors.size() > limits.tensors)
    return fail(Code::too_large, "tensors: {}, at most {} accepted; join some", tensors.size(), limits.tensors);
  std::set<std::string_view> names;
  std::vector<std::uint64_t> bytes;
  for (const TensorInfo& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      return fail(Code::bad_input, "tensor {}: it appears twice; give each one name", quoted(tensor.name));
    QN_TRY(const std::uint64_t size, tensor_bytes(tensor, limits));
    bytes.push_back(size);
  }
  return bytes;
}

}  // namespace

Result<GgufHeader> encode_gguf_header(const Metadata& metadata, std::span<const TensorInfo> tensors, const GgufLimits& limits) {
  QN_TRY(const std::uint64_t alignment, read_alignment(metadata, limits));
  QN_OK(check_metadata(metadata, limits));
  QN_TRY(std::vector<std::uint64_t> bytes, check_tensors(tensors, limits));
  Encoder header;
  header.put_raw(gguf::magic);
  header.put(gguf::written_version);
  header.put(std::uint64_t{tensors.size()});
  header.put(std::uint64_t{metadata.entries().size()});
  for (const auto& [key, value] : metadata.entries()) {
    header.put(key);
    std::visit([&](const auto& held) { header.put_value(held); }, value);
  }
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    header.put(tensors[i].name);
    header.put(static_cast<std::uint32_t>(tensors[i].shape.size()));
    for (const std::int64_t dimension : tensors[i].shape) header.put(dimension);
    header.put(tensors[i].format->gguf_type);
    header.put(offset);
    const auto end = checked_add(offset, bytes[i]);
    if (!end || *end > static_cast<std::uint64_t>(INT64_MAX))
      return fail(Code::too_large, "tensor {}: the file would pass 8 EiB; write several", quoted(tensors[i].name));
    offset = *end + gguf::padding(*end, alignment);
  }
  header.put_raw(std::string(gguf::padding(header.size(), alignment), '\0'));
  return GgufHeader{std::move(header).text(), alignment, std::move(bytes)};
}

Result<GgufWriter> GgufWriter::create(const std::filesystem::path& target, const Metadata& metadata, std::span<const TensorInfo> tensors) {
  QN_TRY(GgufHeader header, encode_gguf_header(metadata, tensors));
  QN_TRY(ReplacementFile file, ReplacementFile::create(target));
  QN_OK(file.write(std::as_bytes(std::span(header.bytes))));
  return GgufWriter(std::move(file), std::move(header));
}

GgufWriter::GgufWriter(ReplacementFile file, GgufHeader header)
    : file_(std::move(file)), alignment_(header.alignment), tensor_bytes_(std::move(header.tensor_bytes)) {}

Status GgufWriter::pad() {
  const std::vector<std::byte> zeros(gguf::padding(file_.position(), alignment_));
  return file_.write(zeros);
}

Status GgufWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (tensor_ == tensor_bytes_.size())
      return fail(Code::bad_input, "tensor data: {} bytes past the last tensor; write what the header says", bytes.size());
    const std::uint64_t missing = tensor_bytes_[tensor_] - written_bytes_;
    const std::span<const std::byte> part = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(missing, bytes.size())));
    QN_OK(file_.write(part));
    written_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
    if (written_bytes_ < tensor_bytes_[tensor_]) continue;
    QN_OK(pad());
    ++tensor_;
    written_bytes_ = 0;
  }
  return {};
}

Status GgufWriter::finish() {
  if (tensor_ < tensor_bytes_.size())
    return fail(Code::bad_input, "tensor {} of {}: {} of {} bytes written; write them all", tensor_ + 1, tensor_bytes_.size(),
                written_bytes_, tensor_bytes_[tensor_]);
  return file_.commit();
}

}  // namespace qn::file
