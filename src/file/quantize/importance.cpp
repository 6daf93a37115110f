#include "file/quantize/importance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/mapped_file.h"
#include "file/checkpoint.h"
#include "file/gguf_format.h"
#include "file/gguf_writer.h"

namespace qn::file {
namespace {

constexpr std::string_view sums_ending = ".in_sum2", counts_ending = ".counts";
constexpr std::string_view datasets_key = "imatrix.datasets", chunks_key = "imatrix.chunk_count", chunk_tokens_key = "imatrix.chunk_size";

Result<std::vector<float>> read_values(const TensorEntry& tensor, std::string_view file) {
  std::vector<float> values(static_cast<std::size_t>(tensor.rows() * tensor.columns()));
  tensor.format->dequantize(tensor.bytes.data(), values.data(), values.size() / static_cast<std::size_t>(tensor.format->block_weights));
  for (const float value : values)
    if (!std::isfinite(value) || value < 0)
      return fail(Code::bad_input,
                  "{}: tensor {}: {} found, a sum of squares is finite and not negative; the file is damaged, make it again",
                  quoted(file, 256), quoted(tensor.name), value);
  return values;
}

Result<ImportanceMatrix> read_importance_gguf(const std::filesystem::path& path) {
  const std::string& file = path.native();
  QN_TRY(const Checkpoint found, open_gguf(path));
  QN_TRY(const auto kind, found.metadata.text("general.type"));
  if (kind != "imatrix")
    return fail(Code::bad_input, "{}: general.type is {}, expected 'imatrix'; give an importance matrix", quoted(file, 256),
                quoted(kind.value_or("not there")));
  ImportanceMatrix matrix;
  QN_TRY(const auto datasets, found.metadata.texts(datasets_key));
  QN_TRY(const auto chunks, found.metadata.integer(chunks_key));
  QN_TRY(const auto chunk_tokens, found.metadata.integer(chunk_tokens_key));
  if (datasets == nullptr || !chunks || !chunk_tokens)
    return fail(Code::bad_input, "{}: one of the keys {}, {} and {} is missing; the file is not whole, make it again", quoted(file, 256),
                datasets_key, chunks_key, chunk_tokens_key);
  matrix.datasets = *datasets;
  matrix.chunks = static_cast<int>(std::clamp<std::int64_t>(*chunks, 0, INT32_MAX));
  matrix.chunk_tokens = static_cast<int>(std::clamp<std::int64_t>(*chunk_tokens, 0, INT32_MAX));
  for (const TensorEntry& sums : found.tensors) {
    if (!sums.name.ends_with(sums_ending)) continue;
    const std::string name = sums.name.substr(0, sums.name.size() - sums_ending.size());
    const TensorEntry* counts = found.find(name + std::string(counts_ending));
    if (counts == nullptr)
      return fail(Code::bad_input, "{}: tensor {}: it has no {}{} beside it; the file is not whole, make it again", quoted(file, 256),
                  quoted(sums.name), name, counts_ending);
    ImportanceMatrix::Entry entry;
    QN_TRY(entry.sums, read_values(sums, file));
    QN_TRY(entry.counts, read_values(*counts, file));
    if (entry.sums.size() % entry.counts.size() != 0)
      return fail(Code::bad_input, "{}: tensor {}: {} sums for {} counts; the file is damaged, make it again", quoted(file, 256),
                  quoted(sums.name), entry.sums.size(), entry.counts.size());
    matrix.entries.emplace(name, std::move(entry));
  }
  if (matrix.entries.empty())
    return fail(Code::bad_input, "{}: no tensor ends in {}; give an importance matrix", quoted(file, 256), sums_ending);
  return matrix;
}

}  // namespace

std::vector<float> ImportanceMatrix::Entry::means() const {
  std::vector<float> out(sums.size());
  const std::size_t columns = sums.size() / counts.size();
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float count = counts[i / columns];
    out[i] = count > 0 ? sums[i] / count : 1.0f;
  }
  return out;
}

void ImportanceMatrix::add(const ImportanceMatrix& other) {
  for (const auto& [name, theirs] : other.entries) {
    const auto [mine, is_new] = entries.try_emplace(name, theirs);
    Entry& entry = mine->second;
    if (is_new || entry.sums.size() != theirs.sums.size() || entry.counts.size() != theirs.counts.size()) continue;
    for (std::size_t i = 0; i < entry.sums.size(); ++i) entry.sums[i] += theirs.sums[i];
    for (std::size_t i = 0; i < entry.counts.size(); ++i) entry.counts[i] += theirs.counts[i];
  }
  datasets.insert(datasets.end(), other.datasets.begin(), other.datasets.end());
  chunks += other.chunks;
  if (chunk_tokens == 0) chunk_tokens = other.chunk_tokens;
}

Result<ImportanceMatrix> read_importance(const std::filesystem::path& path) {
  QN_TRY(const MappedFile map, MappedFile::open(path));
  const std::span<const std::byte> image = map.bytes();
  const std::string_view opening(reinterpret_cast<const char*>(image.data()), std::min(image.size(), gguf::magic.size()));
  if (opening == gguf::magic) return read_importance_gguf(path);
  return parse_importance_dat(image, path.native());
}

Status write_importance_gguf(const ImportanceMatrix& matrix, const std::filesystem::path& path) {
  Metadata metadata;
  metadata.set("general.type", std::string("imatrix"));
  metadata.set(std::string(datasets_key), ArrayOf<std::string>{matrix.datasets});
  metadata.set(std::string(chunks_key), static_cast<std::uint32_t>(matrix.chunks));
  metadata.set(std::string(chunk_tokens_key), static_cast<std::uint32_t>(matrix.chunk_tokens));
  const quant::Format* f32 = quant::find_format("F32");
  std::vector<TensorInfo> infos;
  for (const auto& [name, entry] : matrix.entries) {
    const auto matrices = static_cast<std::int64_t>(entry.counts.size()), values = static_cast<std::int64_t>(entry.sums.size());
    infos.push_back({name + std::string(sums_ending), f32, {values / matrices, matrices}});
    infos.push_back({name + std::string(counts_ending), f32, {1, matrices}});
  }
  QN_TRY(GgufWriter writer, GgufWriter::create(path, metadata, infos));
  for (const auto& [name, entry] : matrix.entries) {
    QN_OK(writer.write(std::as_bytes(std::span(entry.sums))));
    QN_OK(writer.write(std::as_bytes(std::span(entry.counts))));
  }
  return writer.finish();
}

}  // namespace qn::file
