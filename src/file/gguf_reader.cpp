#include "file/gguf_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "file/gguf_cursor.h"
#include "file/gguf_format.h"
#include "file/gguf_metadata.h"
#include "file/gguf_tensors.h"

namespace qn::file {
namespace {

using gguf::Cursor;
using gguf::cut_short;
using gguf::damaged;

// Files that people hand to us by mistake, by their first bytes.
struct Stranger {
  std::string_view opening, what, remedy;
};
constexpr Stranger strangers[] = {
    {"version https://git-lfs", "is a Git LFS pointer, not the file itself", "run git lfs pull"},
    {"<!DOCTYPE", "is a web page", "download the file itself, not its page"},
    {"<!doctype", "is a web page", "download the file itself, not its page"},
    {"<html", "is a web page", "download the file itself, not its page"},
    {"tjgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"fmgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"lmgg", "is in an old ggml format of 2023", "convert the original model again"},
    {"PK\x03\x04", "is a zip archive or PyTorch file", "convert the original model to GGUF"},
};

struct Header {
  std::uint32_t version = 0;
  std::uint64_t tensor_count = 0, key_count = 0;
};

std::string_view opening_of(const Cursor& in, std::size_t bytes) {
  return {reinterpret_cast<const char*>(in.image().data()), std::min(bytes, in.image().size())};
}

tl::unexpected<Error> refuse_stranger(const Cursor& in) {
  const std::string name = quoted(in.file_name(), 256);
  if (in.image().empty()) return fail(Code::bad_input, "{}: the file is empty; fetch it again", name);
  for (const Stranger& known : strangers)
    if (opening_of(in, known.opening.size()) == known.opening) return fail(Code::bad_input, "{}: {}; {}", name, known.what, known.remedy);
  return fail(Code::bad_input, "{}: begins with {}, expected 'GGUF'; give a GGUF file", name, quoted(opening_of(in, gguf::magic.size())));
}

Result<std::uint32_t> read_version(Cursor& in) {
  const std::size_t at = in.position();
  QN_TRY(const std::uint32_t version, in.take<std::uint32_t>("version"));
  if (version == 2 || version == 3) return version;
  if (version == 1)
    return in.refuse(Code::unsupported, at, "version",
                     "GGUF version 1 (of August 2023); versions 2 and 3 are read, convert the model again");
  if (version != 0 && (version & 0xffff) == 0)  // 2 or 3 with its bytes turned round
    return in.refuse(Code::unsupported, at, "version", "a big-endian file; little-endian ones are read, convert the model again");
  return in.refuse(Code::unsupported, at, "version", "GGUF version {}; versions 2 and 3 are read, update this program", version);
}

// A number of things of at least `min_bytes` each, that must fit into what follows.
Result<std::uint64_t> read_count(Cursor& in, std::string_view field, std::string_view things, std::uint64_t most, std::uint64_t min_bytes) {
  const std::size_t at = in.position();
  QN_TRY(const std::uint64_t count, in.take<std::uint64_t>(field));
  if (count > most) return in.refuse(Code::too_large, at, field, "{} {}, at most {} accepted; {}", count, things, most, damaged);
  if (count > in.left() / min_bytes)
    return in.refuse(Code::bad_input, at, field, "{} {} cannot stand in the {} bytes left; {}", count, things, in.left(), cut_short);
  return count;
}

Result<Header> read_header(Cursor& in) {
  if (in.image().empty() || !gguf::magic.starts_with(opening_of(in, gguf::magic.size()))) return refuse_stranger(in);
  QN_OK(in.take<std::uint32_t>("magic"));
  Header header;
  QN_TRY(header.version, read_version(in));
  QN_TRY(header.tensor_count, read_count(in, "tensor count", "tensors", in.limits().tensors, gguf::min_tensor_bytes));
  QN_TRY(header.key_count, read_count(in, "key count", "keys", in.limits().metadata_keys, gguf::min_key_bytes));
  return header;
}

}  // namespace

Result<GgufFile> parse_gguf(std::span<const std::byte> image, std::string_view name, const GgufLimits& limits) {
  Cursor in(image, name, limits);
  QN_TRY(const Header header, read_header(in));
  QN_TRY(gguf::KeyValues keys, gguf::read_metadata(in, header.key_count));
  QN_TRY(gguf::Tensors tensors, gguf::read_tensors(in, header.tensor_count, keys.alignment));
  return GgufFile{.version = header.version,
                  .alignment = keys.alignment,
                  .data_offset = tensors.data_offset,
                  .decoded_bytes = in.charged_bytes(),
                  .metadata = std::move(keys.metadata),
                  .tensors = std::move(tensors.entries)};
}

}  // namespace qn::file
