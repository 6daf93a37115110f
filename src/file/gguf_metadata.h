// The keys and values of a GGUF file.
#pragma once

#include <cstdint>

#include "file/gguf_cursor.h"
#include "file/metadata.h"

namespace qn::file::gguf {

struct KeyValues {
  Metadata metadata;
  std::uint64_t alignment;  // of tensor data: general.alignment, a power of two within the limits, or what holds without it
};

//   in      at the first key; afterwards past the last value
//   errors  as parse_gguf
Result<KeyValues> read_metadata(Cursor& in, std::uint64_t key_count);

}  // namespace qn::file::gguf
