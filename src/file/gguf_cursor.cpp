#include "file/gguf_cursor.h"

namespace qn::file::gguf {

Result<std::string_view> Cursor::take_text(std::string_view field, std::uint64_t max_bytes) {
  const std::size_t at = in_.position();
  const auto bytes = in_.read<std::uint64_t>();
  if (!bytes) return too_short(field, sizeof(std::uint64_t));
  if (*bytes > max_bytes) return refuse(Code::too_large, at, field, "{} bytes long, at most {} accepted; {}", *bytes, max_bytes, damaged);
  if (const auto text = in_.read_text(*bytes)) return *text;
  return too_short(field, *bytes);
}

Result<std::span<const std::byte>> Cursor::take_bytes(std::string_view field, std::uint64_t count) {
  if (const auto bytes = in_.read_bytes(count)) return *bytes;
  return too_short(field, count);
}

Status Cursor::charge(std::uint64_t bytes, std::string_view field) {
  if (bytes > limits_.decoded_bytes - charged_bytes_)
    return refuse(Code::too_large, in_.position(), field, "metadata and tensor list would take more than {} MiB of memory; {}",
                  limits_.decoded_bytes >> 20, damaged);
  charged_bytes_ += static_cast<std::size_t>(bytes);
  return {};
}

tl::unexpected<Error> Cursor::refuse_text(Code code, std::uint64_t offset, std::string_view field, const std::string& finding) const {
  std::string subject(subject_.thing);
  if (!subject_.name.empty())
    subject += " " + quoted(subject_.name);
  else if (subject_.number)
    subject += fmt::format(" {}", *subject_.number);
  return fail(code, "{}: {}, {} at offset {}: {}", quoted(file_name_, 256), subject, field, offset, finding);
}

tl::unexpected<Error> Cursor::too_short(std::string_view field, std::uint64_t needed_bytes) const {
  return refuse(Code::bad_input, in_.position(), field, "needs {} bytes, {} left; {}", needed_bytes, in_.left(), cut_short);
}

}  // namespace qn::file::gguf
