// What a model file may ask of us before it is refused. Every limit of this folder stands here; docs/files.md repeats the table, and
// each row has a test at the limit and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qn::file {

struct GgufLimits {
  std::uint64_t metadata_keys = 65'536;
  std::uint64_t tensors = 1'048'576;
  std::uint64_t key_bytes = 65'536;
  std::uint64_t name_bytes = 1'024;  // of a tensor
  std::uint64_t string_bytes = 16 << 20;
  std::uint64_t array_elements = 64 << 20;
  std::uint64_t dimensions = 4;
  std::uint64_t min_alignment = 8;
  std::uint64_t max_alignment = 65'536;
  // What keys, values and tensor names may take in memory, all parts of a model together. A count compared with the bytes left is not
  // enough: an empty string is 8 bytes in the file and 32 here. The largest vocabularies in use (262 k tokens, 515 k merges) need 40 MiB.
  std::size_t decoded_bytes = std::size_t{48} << 20;
};

}  // namespace qn::file
