// One GGUF image taken apart and checked in full: whoever holds a GgufFile may follow every tensor in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "file/checkpoint.h"
#include "file/limits.h"
#include "file/metadata.h"

namespace qn::file {

struct GgufFile {
  std::uint32_t version = 0;
  std::uint64_t alignment = 0;
  std::uint64_t data_offset = 0;  // of the tensor data in the file
  std::size_t decoded_bytes = 0;  // what the metadata and the tensor list take in memory, counted against the limit of that name
  Metadata metadata;
  std::vector<TensorEntry> tensors;  // in file order; names differ, bytes lie inside the image and do not overlap
};

//   image    must outlive the result: tensors point into it
//   name     for messages
//   errors   bad_input: field and offset, expected and found; too_large: over a limit; unsupported: version, byte order or tensor type
//   source   GGUF specification v2 and v3 (ggml docs/gguf.md)
Result<GgufFile> parse_gguf(std::span<const std::byte> image, std::string_view name, const GgufLimits& limits = {});

}  // namespace qn::file
