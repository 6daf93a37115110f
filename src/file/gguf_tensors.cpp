#include "file/gguf_tensors.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "file/gguf_format.h"

namespace qn::file::gguf {
namespace {

struct Placement {
  std::uint64_t info_at;  // where the file describes the tensor
  std::uint64_t offset;   // in the tensor data
  std::uint64_t bytes;
};

struct TensorList {
  std::vector<TensorEntry> entries;
  std::vector<Placement> placements;  // of the same tensors
};

Status read_shape(Cursor& in, TensorEntry& tensor) {
  const std::size_t at = in.position();
  QN_TRY(std::uint32_t dimensions, in.take<std::uint32_t>("dimension count"));
  if (dimensions < 1 || dimensions > in.limits().dimensions)
    return in.refuse(Code::bad_input, at, "dimension count", "expected 1 to {}, found {}; {}", in.limits().dimensions, dimensions, damaged);
  std::uint64_t weights = 1;
  tensor.shape.reserve(dimensions);
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const std::size_t dimension_at = in.position();
    QN_TRY(std::uint64_t dimension, in.take<std::uint64_t>("dimension"));
    if (dimension == 0) return in.refuse(Code::bad_input, dimension_at, "dimension", "it is 0; {}", damaged);
    const auto product = checked_mul(weights, dimension);
    if (!product || *product > static_cast<std::uint64_t>(INT64_MAX))
      return in.refuse(Code::bad_input, dimension_at, "dimension", "{} makes more weights than 64 bits can count; {}", dimension, damaged);
    weights = *product;
    tensor.shape.push_back(static_cast<std::int64_t>(dimension));
  }
  return {};
}

Result<std::uint64_t> tensor_bytes(const Cursor& in, const TensorEntry& tensor, std::uint64_t type_at) {
  const quant::Format& format = *tensor.format;
  const auto block_weights = static_cast<std::int64_t>(format.block_weights);
  if (tensor.columns() % block_weights != 0)
    return in.refuse(Code::bad_input, type_at, "type", "a row of {} weights is no whole number of {} blocks of {}; {}", tensor.columns(),
                     format.name, block_weights, damaged);
  const auto blocks =
      static_cast<std::uint64_t>(tensor.columns() / block_weights) * static_cast<std::uint64_t>(tensor.rows());  // <= weights
  const auto bytes = checked_mul(blocks, static_cast<std::uint64_t>(format.block_bytes));
  if (!bytes)
    return in.refuse(Code::bad_input, type_at, "type", "{} blocks of {} need more bytes than 64 bits can count; {}", blocks, format.name,
                     damaged);
  return *bytes;
}

Status read_tensor(Cursor& in, TensorList& list) {
  const std::size_t info_at = in.position();
  QN_TRY(const std::string_view name, in.take_text("name", in.limits().name_bytes));
  if (name.empty()) return in.refuse(Code::bad_input, info_at, "name", "it is empty; {}", damaged);
  in.about({"tensor", name, {}});
  QN_OK(in.charge(name.size() + 2 * allocation_overhead, "name"));
  TensorEntry tensor{std::string(name), nullptr, {}, {}};
  QN_OK(read_shape(in, tensor));
  const std::size_t type_at = in.position();
  QN_TRY(const std::uint32_t type, in.take<std::uint32_t>("type"));
  tensor.format = quant::find_format(type);
  if (tensor.format == nullptr)
    return in.refuse(Code::unsupported, type_at, "type",
                     "tensor type {} is not read by this version; convert or quantize the model to another type", type);
  QN_TRY(const std::uint64_t bytes, tensor_bytes(in, tensor, type_at));
  QN_TRY(const std::uint64_t offset, in.take<std::uint64_t>("data offset"));
  list.placements.push_back({info_at, offset, bytes});
  list.entries.push_back(std::move(tensor));
  return {};
}

Result<TensorList> read_list(Cursor& in, std::uint64_t tensor_count) {
  in.about({"tensor list"});
  if (tensor_count > in.left() / min_tensor_bytes)
    return in.refuse(Code::bad_input, in.position(), "start", "{} tensors cannot stand in the {} bytes left; {}", tensor_count, in.left(),
                     cut_short);
  QN_OK(in.charge(tensor_count * (sizeof(TensorEntry) + sizeof(Placement) + 2 * sizeof(std::size_t)), "start"));
  TensorList list;
  list.entries.reserve(static_cast<std::size_t>(tensor_count));
  list.placements.reserve(static_cast<std::size_t>(tensor_count));
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    in.about({"tensor", {}, i});
    QN_OK(read_tensor(in, list));
  }
  return list;
}

Status place(Cursor& in, TensorEntry& tensor, const Placement& where, std::uint64_t data_offset, std::uint64_t alignment) {
  in.about({"tensor", tensor.name, {}});
  if (where.offset % alignment != 0)
    return in.refuse(Code::bad_input, where.info_at, "data offset", "{} is no multiple of the alignment {}; {}", where.offset, alignment,
                     damaged);
  const auto begin = checked_add(data_offset, where.offset);
  const auto end = begin ? checked_add(*begin, where.bytes) : std::nullopt;
  if (!end) return in.refuse(Code::bad_input, where.info_at, "data offset", "{} is past the range of 64 bits; {}", where.offset, damaged);
  if (*end > in.image().size())
    return in.refuse(Code::bad_input, where.info_at, "data", "it ends at byte {}, the file has {}; {}", *end, in.image().size(), cut_short);
  tensor.bytes = in.image().subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(where.bytes));
  return {};
}

// Places in the list, sorted by `key` of a place.
template <class Key>
std::vector<std::size_t> sorted_places(std::size_t count, Key key) {
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return places;
}

Status check_names(Cursor& in, const TensorList& list) {
  const auto name = [&](std::size_t place) -> std::string_view { return list.entries[place].name; };
  const std::vector<std::size_t> places = sorted_places(list.entries.size(), name);
  const auto twice = std::adjacent_find(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return name(a) == name(b); });
  if (twice == places.end()) return {};
  in.about({"tensor", name(*twice), {}});
  const std::uint64_t second_at = std::max(list.placements[twice[0]].info_at, list.placements[twice[1]].info_at);
  return in.refuse(Code::bad_input, second_at, "name", "it appears twice; {}", damaged);
}

Status check_overlap(Cursor& in, const TensorList& list) {
  const std::vector<std::size_t> places =
      sorted_places(list.placements.size(), [&](std::size_t place) { return list.placements[place].offset; });
  for (std::size_t i = 1; i < places.size(); ++i) {
    const Placement& before = list.placements[places[i - 1]];
    const Placement& after = list.placements[places[i]];
    if (before.offset + before.bytes <= after.offset) continue;  // both end inside the file: no overflow
    in.about({"tensor", list.entries[places[i]].name, {}});
    return in.refuse(Code::bad_input, after.info_at, "data offset", "{} lies inside tensor {}; {}", after.offset,
                     quoted(list.entries[places[i - 1]].name), damaged);
  }
  return {};
}

}  // namespace

Result<Tensors> read_tensors(Cursor& in, std::uint64_t tensor_count, std::uint64_t alignment) {
  QN_TRY(TensorList list, read_list(in, tensor_count));
  const std::uint64_t data_offset = in.position() + padding(in.position(), alignment);
  for (std::size_t i = 0; i < list.entries.size(); ++i) QN_OK(place(in, list.entries[i], list.placements[i], data_offset, alignment));
  QN_OK(check_names(in, list));
  QN_OK(check_overlap(in, list));
  return Tensors{data_offset, std::move(list.entries)};
}

}  // namespace qn::file::gguf
