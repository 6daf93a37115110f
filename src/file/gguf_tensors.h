// The tensor list of a GGUF file, and the tensors themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "file/checkpoint.h"
#include "file/gguf_cursor.h"

namespace qn::file::gguf {

struct Tensors {
  std::uint64_t data_offset;         // of the tensor data in the file
  std::vector<TensorEntry> entries;  // in file order; names differ, bytes lie inside the image and do not overlap
};

//   in      at the first tensor of the list
//   errors  as parse_gguf
Result<Tensors> read_tensors(Cursor& in, std::uint64_t tensor_count, std::uint64_t alignment);

}  // namespace qn::file::gguf
