// Writes GGUF v3. The header is known from the start, tensor data streams after it, so a model of any size is written with little memory.
// Invariant: what is written opens with open_gguf and reads back the same; keys, names and shapes that it would refuse are refused before
// a byte is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "file/limits.h"
#include "file/metadata.h"
#include "file/replacement_file.h"
#include "quant/format.h"

namespace qn::file {

// A tensor to be written: what the header says of it.
struct TensorInfo {
  std::string name;
  const quant::Format* format;
  std::vector<std::int64_t> shape;  // GGUF order: shape[0] is contiguous, a multiple of the format's block
};

// Everything before the tensor data, padded to the alignment.
struct GgufHeader {
  std::string bytes;
  std::uint64_t alignment = 0;
  std::vector<std::uint64_t> tensor_bytes;  // in order; each is padded to the alignment in the file
};

//   metadata  its general.alignment, if there, is obeyed
//   errors    bad_input, too_large: the key or tensor that no reader would take
Result<GgufHeader> encode_gguf_header(const Metadata& metadata, std::span<const TensorInfo> tensors, const GgufLimits& limits = {});

// Usage: create, then write() the bytes of each tensor in order, then finish(). Without finish() nothing appears at the target.
class GgufWriter {
 public:
  //   errors   as encode_gguf_header; io, not_found: the file system
  static Result<GgufWriter> create(const std::filesystem::path& target, const Metadata& metadata, std::span<const TensorInfo> tensors);

  // The next bytes of tensor data, in pieces of any size; padding between tensors is added here.
  //   errors   bad_input: more bytes than the tensors have
  Status write(std::span<const std::byte> bytes);

  // Every tensor is complete: syncs the file and puts it in its place.
  //   errors   bad_input: bytes are missing
  Status finish();

 private:
  GgufWriter(ReplacementFile file, GgufHeader header);
  Status pad();

  ReplacementFile file_;
  std::uint64_t alignment_;
  std::vector<std::uint64_t> tensor_bytes_;
  std::size_t tensor_ = 0;           // the one being written
  std::uint64_t written_bytes_ = 0;  // of it
};

}  // namespace qn::file
