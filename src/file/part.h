// Parts of a split model: PREFIX-00001-of-00003.gguf and so on, the keys that number them, and which tensors go where.
//   source   llama.cpp tools/gguf-split
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "file/checkpoint.h"
#include "file/rewrite.h"

namespace qn::file {

inline constexpr std::string_view part_number_key = "split.no";              // 0-based
inline constexpr std::string_view part_count_key = "split.count";            // 0 in files that llama.cpp has joined
inline constexpr std::string_view part_tensors_key = "split.tensors.count";  // over all parts
inline constexpr std::size_t most_parts = 65'535;

// PREFIX-00002-of-00005.gguf; the number is 1-based, as in the name.
std::string part_name(std::string_view prefix, std::int64_t number, std::int64_t count);

struct PartName {
  std::string prefix;
  std::int64_t number = 0;  // 1-based
  std::int64_t count = 0;
};
std::optional<PartName> read_part_name(std::string_view name);

Metadata without_part_keys(const Metadata& metadata);
// Keys that are there get the new value in their place, others follow at the end.
Metadata with_changes(const Metadata& metadata, std::span<const std::pair<std::string, MetaValue>> changes);

// Which of the model's files a tensor lies in.
std::size_t part_of(const Checkpoint& model, const TensorEntry& tensor);

// Files with their names and keys. All metadata goes to the first.
//   prefix   a trailing ".gguf" is left out
std::vector<OutputFile> name_parts(const std::filesystem::path& prefix, const Metadata& metadata,
                                   std::vector<std::vector<OutputTensor>> parts);

struct SplitLimits {
  std::size_t max_tensors = 0;  // of one part; 0: any number
  std::uint64_t max_bytes = 0;  // of one part's tensors; 0: any number
  bool metadata_first = false;  // the first part holds no tensors
};
//   errors   bad_input: too many parts
Result<std::vector<OutputFile>> plan_split(const Checkpoint& model, const SplitLimits& limits, const std::filesystem::path& prefix);

// All parts in one file, as it was before it was split.
OutputFile plan_merge(const Checkpoint& model, const std::filesystem::path& out);

}  // namespace qn::file
