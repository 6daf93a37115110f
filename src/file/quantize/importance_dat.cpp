// The older file of an importance matrix: no magic, no version, little-endian.
//
//   entries i32 · entries x { length i32 · name · calls i32 · values i32 · values x f32 }      a value is mean * calls
//   then, where the writer had them: chunks i32 · length i32 · name of the text
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "file/quantize/importance.h"
#include "file/replacement_file.h"

namespace qn::file {
namespace {

constexpr std::int32_t most_entries = 1 << 20, longest_name = 1024, longest_dataset = 65'536;
constexpr std::string_view damaged = "the file is no importance matrix, or is damaged; make it again";

// A number; where it counts things of `bytes_each`, what follows must be able to hold them.
Result<std::int32_t> read_count(ByteReader& in, std::string_view name, std::string_view field, std::int32_t least, std::int32_t most,
                                std::size_t bytes_each) {
  const std::size_t at = in.position();
  const auto count = in.read<std::int32_t>();
  if (!count) return fail(Code::bad_input, "{}: {} at offset {}: the file ends before it; fetch it again", quoted(name, 256), field, at);
  if (*count < least || *count > most || (bytes_each > 0 && static_cast<std::size_t>(*count) > in.left() / bytes_each))
    return fail(Code::bad_input, "{}: {} at offset {}: {} with {} bytes left; {}", quoted(name, 256), field, at, *count, in.left(),
                damaged);
  return *count;
}

Status read_entry(ByteReader& in, std::string_view file, ImportanceMatrix& into) {
  QN_TRY(const std::int32_t length, read_count(in, file, "name length", 1, longest_name, 1));
  const std::string name(*in.read_text(static_cast<std::uint64_t>(length)));
  QN_TRY(const std::int32_t calls, read_count(in, file, "calls", 0, INT32_MAX, 0));
  QN_TRY(const std::int32_t values, read_count(in, file, "values", 1, INT32_MAX, sizeof(float)));
  ImportanceMatrix::Entry entry;
  entry.sums.resize(static_cast<std::size_t>(values));
  const std::size_t at = in.position();
  std::memcpy(entry.sums.data(), in.read_bytes(entry.sums.size() * sizeof(float))->data(), entry.sums.size() * sizeof(float));
  for (const float sum : entry.sums)
    if (!std::isfinite(sum) || sum < 0)
      return fail(Code::bad_input, "{}: entry {} at offset {}: {} found, a sum of squares is finite and not negative; {}",
                  quoted(file, 256), quoted(name), at, sum, damaged);
  entry.counts = {static_cast<float>(std::max(calls, 1))};  // without calls the values are means already
  if (!into.entries.emplace(name, std::move(entry)).second)
    return fail(Code::bad_input, "{}: entry {}: it appears twice; {}", quoted(file, 256), quoted(name), damaged);
  return {};
}

void put(std::string& out, std::int32_t value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  out.append(raw, sizeof value);
}

void put(std::string& out, std::string_view text) {
  put(out, static_cast<std::int32_t>(text.size()));
  out += text;
}

}  // namespace

Result<ImportanceMatrix> parse_importance_dat(std::span<const std::byte> image, std::string_view name) {
  ByteReader in(image);
  QN_TRY(const std::int32_t count, read_count(in, name, "entry count", 1, most_entries, 3 * sizeof(std::int32_t)));
  ImportanceMatrix matrix;
  for (std::int32_t i = 0; i < count; ++i) QN_OK(read_entry(in, name, matrix));
  if (in.left() == 0) return matrix;  // the oldest writers stop here
  const auto chunks = in.read<std::int32_t>();
  if (!chunks || *chunks < 0)
    return fail(Code::bad_input, "{}: chunk count at offset {}: {}; {}", quoted(name, 256), in.position(), chunks.value_or(0), damaged);
  matrix.chunks = *chunks;
  if (in.left() == 0) return matrix;
  QN_TRY(const std::int32_t length, read_count(in, name, "length of the text's name", 0, longest_dataset, 1));
  if (length > 0) matrix.datasets.emplace_back(*in.read_text(static_cast<std::uint64_t>(length)));
  return matrix;
}

Status write_importance_dat(const ImportanceMatrix& matrix, const std::filesystem::path& path) {
  std::string out;
  put(out, static_cast<std::int32_t>(matrix.entries.size()));
  for (const auto& [name, entry] : matrix.entries) {
    const float most = *std::max_element(entry.counts.begin(), entry.counts.end());
    const float tokens = static_cast<float>(std::max(matrix.chunk_tokens, 1));
    const auto calls = static_cast<std::int32_t>(std::max(std::ceil(most / tokens), 1.0f));
    put(out, name);
    put(out, calls);
    put(out, static_cast<std::int32_t>(entry.sums.size()));
    for (const float mean : entry.means()) {
      const float value = mean * static_cast<float>(calls);
      char raw[sizeof value];
      std::memcpy(raw, &value, sizeof value);
      out.append(raw, sizeof value);
    }
  }
  put(out, static_cast<std::int32_t>(matrix.chunks));
  put(out, matrix.datasets.empty() ? std::string_view() : std::string_view(matrix.datasets.back()));
  QN_TRY(ReplacementFile file, ReplacementFile::create(path));
  QN_OK(file.write(std::as_bytes(std::span(out))));
  return file.commit();
}

}  // namespace qn::file
