// Opening a model: one file, or the first part of a split one and the parts beside it.
// Invariant: a Checkpoint holds all tensors of the model, each name once, or it is not made.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "file/checkpoint.h"
#include "file/gguf_reader.h"
#include "file/part.h"

namespace qn::file {
namespace {

struct SplitKeys {
  std::int64_t number = 0;  // 0-based
  std::int64_t count = 1;
  std::optional<std::int64_t> tensors;  // over all parts
};

std::string quoted_path(const std::filesystem::path& path) {
  return quoted(path.native(), 256);
}

Result<SplitKeys> read_split_keys(const Metadata& metadata) {
  SplitKeys keys;
  QN_TRY(const auto number, metadata.integer(part_number_key));
  QN_TRY(const auto count, metadata.integer(part_count_key));
  QN_TRY(keys.tensors, metadata.integer(part_tensors_key));
  keys.number = number.value_or(0);
  keys.count = count.value_or(1);
  if (keys.count == 0) return SplitKeys{};  // llama.cpp leaves the keys in what it joins, with this count
  return keys;
}

// The key errors of Metadata, which does not know its file.
template <class T>
Result<T> in_file(const std::filesystem::path& path, Result<T> result) {
  if (!result) result.error().message = quoted_path(path) + ": " + result.error().message;
  return result;
}

Result<GgufFile> open_part(const std::filesystem::path& path, Residence residence, const GgufLimits& limits, Checkpoint& into) {
  QN_TRY(MappedFile opened, MappedFile::open(path, residence));
  const auto map = std::make_shared<const MappedFile>(std::move(opened));
  QN_TRY(GgufFile file, parse_gguf(map->bytes(), path.native(), limits));
  into.maps.push_back(map);
  into.file_bytes += map->bytes().size();
  return file;
}

Status check_first(const std::filesystem::path& path, const SplitKeys& keys, const std::optional<PartName>& name) {
  if (keys.count < 1 || keys.number < 0 || keys.number >= keys.count)
    return fail(Code::bad_input, "{}: {} is {} and {} is {}; the file was written wrongly, split the model again", quoted_path(path),
                part_number_key, keys.number, part_count_key, keys.count);
  if (keys.count == 1) return {};
  const std::string prefix = name ? name->prefix : path.stem().string();
  if (keys.number != 0)
    return fail(Code::bad_input, "{}: part {} of a model in {} parts; give the first, {}", quoted_path(path), keys.number + 1, keys.count,
                quoted(part_name(prefix, 1, keys.count), 256));
  if (!name || name->number != 1 || name->count != keys.count)
    return fail(Code::bad_input, "{}: first of {} parts, but not named so; rename the parts to {} and so on", quoted_path(path), keys.count,
                quoted(part_name(prefix, 1, keys.count), 256));
  return {};
}

Status check_part(const std::filesystem::path& path, const SplitKeys& keys, std::int64_t number, std::int64_t count) {
  if (keys.number == number && keys.count == count) return {};
  return fail(Code::bad_input, "{}: expected part {} of {}, found part {} of {}; a file has the wrong name or belongs to another model",
              quoted_path(path), number + 1, count, keys.number + 1, keys.count);
}

Status add_part(const std::filesystem::path& path, Residence residence, std::int64_t number, const SplitKeys& first, GgufLimits& limits,
                Checkpoint& into) {
  auto opened = open_part(path, residence, limits, into);
  if (!opened && opened.error().code == Code::not_found)
    return fail(Code::not_found, "{}: no such file; the model has {} parts, put part {} beside the first", quoted_path(path), first.count,
                number + 1);
  QN_TRY(GgufFile file, std::move(opened));
  QN_TRY(const SplitKeys keys, in_file(path, read_split_keys(file.metadata)));
  QN_OK(check_part(path, keys, number, first.count));
  limits.decoded_bytes -= std::min(limits.decoded_bytes, file.decoded_bytes);
  std::move(file.tensors.begin(), file.tensors.end(), std::back_inserter(into.tensors));
  return {};
}

Status check_whole(const std::filesystem::path& path, const SplitKeys& keys, const Checkpoint& model) {
  if (keys.tensors && *keys.tensors != static_cast<std::int64_t>(model.tensors.size()))
    return fail(Code::bad_input, "{}: {} says {} tensors, the {} parts have {}; fetch the parts again", quoted_path(path), part_tensors_key,
                *keys.tensors, keys.count, model.tensors.size());
  for (const TensorEntry& tensor : model.tensors)  // find() gives one of them: another address means a second tensor of this name
    if (model.find(tensor.name) != &tensor)
      return fail(Code::bad_input, "{}: tensor {}: two parts have it; a file has the wrong name or belongs to another model",
                  quoted_path(path), quoted(tensor.name));
  return {};
}

}  // namespace

Result<Checkpoint> open_gguf(const std::filesystem::path& path, Residence residence) {
  GgufLimits limits;
  Checkpoint model;
  QN_TRY(GgufFile first, open_part(path, residence, limits, model));
  QN_TRY(const SplitKeys keys, in_file(path, read_split_keys(first.metadata)));
  const std::optional<PartName> name = read_part_name(path.filename().native());
  QN_OK(check_first(path, keys, name));
  model.metadata = std::move(first.metadata);
  model.tensors = std::move(first.tensors);
  limits.decoded_bytes -= std::min(limits.decoded_bytes, first.decoded_bytes);
  for (std::int64_t number = 1; number < keys.count; ++number)
    QN_OK(add_part(path.parent_path() / part_name(name->prefix, number + 1, keys.count), residence, number, keys, limits, model));
  model.index();
  if (keys.count > 1) QN_OK(check_whole(path, keys, model));
  return model;
}

Result<Checkpoint> open_gguf(std::span<const std::byte> image, std::string_view name) {
  QN_TRY(GgufFile file, parse_gguf(image, name));
  QN_TRY(const SplitKeys keys, in_file(std::filesystem::path(name), read_split_keys(file.metadata)));
  if (keys.count != 1)
    return fail(Code::unsupported, "{}: part of a model in {} parts; join the parts first", quoted(name, 256), keys.count);
  Checkpoint model;
  model.metadata = std::move(file.metadata);
  model.tensors = std::move(file.tensors);
  model.file_bytes = image.size();
  model.index();
  return model;
}

}  // namespace qn::file
