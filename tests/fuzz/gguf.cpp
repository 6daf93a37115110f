// GGUF files. What is accepted must be sound: every tensor inside its file, and what the writer makes of it reads back the same.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "file/gguf_reader.h"
#include "file/gguf_writer.h"

namespace {

using namespace qn::file;

bool inside(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.data() >= whole.data() && part.size() <= whole.size() &&
         static_cast<std::size_t>(part.data() - whole.data()) <= whole.size() - part.size();
}

bool all_tensors_inside(const GgufFile& file, std::span<const std::byte> image) {
  for (const TensorEntry& tensor : file.tensors)
    if (!inside(tensor.bytes, image) ||
        tensor.bytes.size() != static_cast<std::size_t>(tensor.rows()) * tensor.format->row_bytes(tensor.columns()))
      return false;
  return true;
}

std::vector<TensorInfo> tensor_infos(const GgufFile& file) {
  std::vector<TensorInfo> infos;
  for (const TensorEntry& tensor : file.tensors) infos.push_back({tensor.name, tensor.format, tensor.shape});
  return infos;
}

// Headers are compared as bytes: that also holds for values that are not equal to themselves.
bool reads_back_the_same(const GgufFile& file) {
  const auto header = encode_gguf_header(file.metadata, tensor_infos(file));
  if (!header) return false;
  std::string image = header->bytes;
  for (const std::uint64_t bytes : header->tensor_bytes)
    image.append((bytes + header->alignment - 1) / header->alignment * header->alignment, 'd');
  const auto again = parse_gguf(std::as_bytes(std::span(image)), "again");
  if (!again) return false;
  const auto header_again = encode_gguf_header(again->metadata, tensor_infos(*again));
  return header_again && header_again->bytes == header->bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> image = std::as_bytes(std::span(data, size));
  const auto file = parse_gguf(image, "m.gguf");
  if (!file) {
    QN_CHECK(file.error().message.find('\n') == std::string::npos, "an error is one line");
    return 0;
  }
  QN_CHECK(all_tensors_inside(*file, image), "a tensor points outside its file");
  QN_CHECK(reads_back_the_same(*file), "what was read can be written and read again");
  if (const auto vocab = read_vocab(file->metadata)) {
    QN_CHECK(vocab->types.size() == vocab->tokens.size(), "every token has a type");
    for (const qn::TokenId id : vocab->end_of_turn)
      QN_CHECK(id >= 0 && static_cast<std::size_t>(id) < vocab->tokens.size(), "an end of turn is a token");
  }
  return 0;
}
