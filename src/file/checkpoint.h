// Checkpoint: metadata and named tensors of a model, whatever files they came from. Tensors point into maps that the checkpoint owns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "base/result.h"
#include "file/metadata.h"
#include "quant/format.h"
#include "text/tokenizer/vocab.h"

namespace qn::file {

struct TensorEntry {
  std::string name;
  const quant::Format* format;
  std::vector<std::int64_t> shape;  // GGUF order: shape[0] is contiguous
  std::span<const std::byte> bytes;

  std::int64_t columns() const { return shape[0]; }
  std::int64_t rows() const;  // product of the other dimensions
  quant::EncodedTensor encoded() const { return {name, format, rows(), columns(), bytes}; }
};

class Checkpoint {
 public:
  Metadata metadata;
  std::vector<TensorEntry> tensors;                     // in file order
  std::vector<std::shared_ptr<const MappedFile>> maps;  // shared with the model, which may alias them
  std::uint64_t file_bytes = 0;                         // of all parts

  const TensorEntry* find(std::string_view name) const;              // null where there is none
  const MappedFile* map_of(std::span<const std::byte> bytes) const;  // that they lie in; null where they lie in none
  void index();                                                      // after `tensors` has changed

 private:
  std::vector<std::size_t> by_name_;  // places in `tensors`, ordered by name
};

// A GGUF file; for the first of a split model, all its parts.
//   errors   bad_input: field and offset, expected and found; not_found: the part that is missing
//   source   GGUF specification v2 and v3 (ggml docs/gguf.md)
Result<Checkpoint> open_gguf(const std::filesystem::path& path, Residence residence = Residence::mapped);
// A GGUF image in memory that outlives the checkpoint (the built-in model).
Result<Checkpoint> open_gguf(std::span<const std::byte> image, std::string_view name);

// tokenizer.ggml.* as a vocabulary.
Result<text::VocabSpec> read_vocab(const Metadata& metadata);

}  // namespace qn::file
