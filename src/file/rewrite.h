// Rewrite: tensors of a checkpoint, in other formats or as they are, written to one file or several. It streams: whatever the model's
// size, a worker holds one piece of a tensor, and pages of the source that have been read are given back.
// Invariant: the targets appear when all of them are whole and synced; until then what was there stays. The bytes written do not depend on
// the number of threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "file/checkpoint.h"
#include "file/gguf_writer.h"

namespace qn::file {

struct OutputTensor {
  const TensorEntry* source = nullptr;
  std::string name;
  const quant::Format* format = nullptr;
  std::span<const float> importance = {};  // one weight a column, for each matrix of the tensor; or none

  std::uint64_t bytes() const { return static_cast<std::uint64_t>(source->rows()) * format->row_bytes(source->columns()); }
  TensorInfo info() const { return {name, format, source->shape}; }
};

struct OutputFile {
  std::filesystem::path path;
  Metadata metadata;
  std::vector<OutputTensor> tensors;
};

struct RewriteProgress {
  std::uint64_t done_bytes, total_bytes;  // of the source
};
enum class Watch { go_on, stop };

//   watch    called on the caller's thread now and then; may stop the work
//   errors   unsupported: a format that is only read; bad_input: the tensor with a value that is no number; cancelled; io: the disk
Status rewrite(const Checkpoint& from, std::span<const OutputFile> files, ThreadPool& pool,
               const std::function<Watch(RewriteProgress)>& watch);

}  // namespace qn::file
