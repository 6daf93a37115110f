#include "file/part.h"

#include <algorithm>
#include <charconv>

#include "file/gguf_format.h"

namespace qn::file {
namespace {

constexpr std::string_view ending = ".gguf";

OutputTensor as_it_is(const TensorEntry& tensor) {
  return {&tensor, tensor.name, tensor.format, {}};
}

}  // namespace

std::string part_name(std::string_view prefix, std::int64_t number, std::int64_t count) {
  return fmt::format("{}-{:05}-of-{:05}{}", prefix, number, count, ending);
}

std::optional<PartName> read_part_name(std::string_view name) {
  constexpr std::size_t digits = 5;
  constexpr std::string_view dash = "-", of = "-of-";
  constexpr std::size_t tail = dash.size() + digits + of.size() + digits + ending.size();
  if (name.size() < tail) return std::nullopt;
  PartName part;
  part.prefix = name.substr(0, name.size() - tail);
  const std::string_view number = name.substr(part.prefix.size() + dash.size(), digits);
  const std::string_view count = name.substr(name.size() - ending.size() - digits, digits);
  const auto read = [](std::string_view text, std::int64_t& out) {
    return std::from_chars(text.data(), text.data() + text.size(), out).ptr == text.data() + text.size();
  };
  if (!read(number, part.number) || !read(count, part.count)) return std::nullopt;
  if (part_name(part.prefix, part.number, part.count) != name) return std::nullopt;
  return part;
}

Metadata without_part_keys(const Metadata& metadata) {
  Metadata out;
  for (const auto& [key, value] : metadata.entries())
    if (key != part_number_key && key != part_count_key && key != part_tensors_key) out.set(key, value);
  return out;
}

Metadata with_changes(const Metadata& metadata, std::span<const std::pair<std::string, MetaValue>> changes) {
  // The last change of a key counts.
  const auto change = [&](std::string_view key) -> const MetaValue* {
    const auto found = std::find_if(changes.rbegin(), changes.rend(), [&](const auto& row) { return row.first == key; });
    return found == changes.rend() ? nullptr : &found->second;
  };
  Metadata out;
  for (const auto& [key, value] : metadata.entries()) {
    const MetaValue* changed = change(key);
    out.set(key, changed != nullptr ? *changed : value);
  }
  for (const auto& [key, value] : changes) out.set(key, *change(key));  // those that are there already stay
  return out;
}

std::size_t part_of(const Checkpoint& model, const TensorEntry& tensor) {
  const MappedFile* map = model.map_of(tensor.bytes);
  for (std::size_t i = 0; i < model.maps.size(); ++i)
    if (model.maps[i].get() == map) return i;
  return 0;
}

std::vector<OutputFile> name_parts(const std::filesystem::path& prefix, const Metadata& metadata,
                                   std::vector<std::vector<OutputTensor>> parts) {
  std::string name = prefix.filename().string();
  if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  std::size_t tensors = 0;
  for (const auto& part : parts) tensors += part.size();
  std::vector<OutputFile> files;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    OutputFile file{prefix.parent_path() / part_name(name, static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(parts.size())),
                    i == 0 ? metadata : Metadata(), std::move(parts[i])};
    if (const MetaValue* alignment = metadata.find(gguf::alignment_key); i > 0 && alignment != nullptr)
      file.metadata.set(std::string(gguf::alignment_key), *alignment);
    file.metadata.set(std::string(part_number_key), static_cast<std::uint16_t>(i));
    file.metadata.set(std::string(part_count_key), static_cast<std::uint16_t>(parts.size()));
    file.metadata.set(std::string(part_tensors_key), static_cast<std::int32_t>(tensors));
    files.push_back(std::move(file));
  }
  return files;
}

Result<std::vector<OutputFile>> plan_split(const Checkpoint& model, const SplitLimits& limits, const std::filesystem::path& prefix) {
  const Metadata metadata = without_part_keys(model.metadata);
  QN_TRY(const auto alignment, metadata.integer(gguf::alignment_key));
  std::vector<std::vector<OutputTensor>> parts(limits.metadata_first ? 2 : 1);
  std::uint64_t part_bytes = 0;
  for (const TensorEntry& tensor : model.tensors) {
    std::uint64_t bytes = tensor.bytes.size();
    bytes += gguf::padding(bytes, static_cast<std::uint64_t>(alignment.value_or(gguf::default_alignment)));
    const bool full = (limits.max_bytes > 0 && part_bytes + bytes > limits.max_bytes) ||
                      (limits.max_tensors > 0 && parts.back().size() >= limits.max_tensors);
    if (full && !parts.back().empty()) {  // a tensor larger than a part may be has one to itself
      parts.emplace_back();
      part_bytes = 0;
    }
    parts.back().push_back(as_it_is(tensor));
    part_bytes += bytes;
  }
  if (parts.size() > most_parts)
    return fail(Code::bad_input, "parts: {} needed, at most {} can be numbered; allow larger parts", parts.size(), most_parts);
  return name_parts(prefix, metadata, std::move(parts));
}

OutputFile plan_merge(const Checkpoint& model, const std::filesystem::path& out) {
  OutputFile file{out, without_part_keys(model.metadata), {}};
  for (const TensorEntry& tensor : model.tensors) file.tensors.push_back(as_it_is(tensor));
  return file;
}

}  // namespace qn::file
