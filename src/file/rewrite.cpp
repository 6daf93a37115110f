#include "file/rewrite.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "file/gguf_format.h"

namespace qn::file {
namespace {

// 512 KiB of floats: they stay in a core's own cache between the two conversions. A longer row is one piece, up to the second number.
constexpr std::uint64_t weights_a_piece = 128 * 1024, longest_row_piece = 1024 * 1024;
constexpr std::uint64_t copied_bytes_a_piece = 1 << 20;
constexpr std::size_t page_bytes = 4096;

// Weights [first, first + count) of a tensor: whole rows, or a part of one.
struct Piece {
  std::uint32_t file, tensor;
  std::uint64_t first, count;
};

struct Target {
  ReplacementFile file;
  std::vector<std::uint64_t> offsets;  // of each tensor's data
};

struct Scratch {
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

std::uint64_t weights_of(const TensorEntry& tensor) {
  return static_cast<std::uint64_t>(tensor.rows()) * static_cast<std::uint64_t>(tensor.columns());
}

std::size_t bytes_of(const quant::Format& format, std::uint64_t weights) {
  return format.row_bytes(static_cast<std::int64_t>(weights));
}

std::span<const std::byte> source_of(const OutputTensor& tensor, const Piece& piece) {
  const quant::Format& format = *tensor.source->format;
  return tensor.source->bytes.subspan(bytes_of(format, piece.first), bytes_of(format, piece.count));
}

void cut(std::uint32_t file, std::uint32_t index, const OutputTensor& tensor, std::vector<Piece>& pieces) {
  const std::uint64_t total = weights_of(*tensor.source), columns = static_cast<std::uint64_t>(tensor.source->columns());
  const quant::Format& format = *tensor.source->format;
  std::uint64_t size = std::max<std::uint64_t>(weights_a_piece / columns, 1) * columns;
  if (tensor.format == &format) {
    const auto block = static_cast<std::uint64_t>(format.block_weights);
    size = std::max<std::uint64_t>(copied_bytes_a_piece / static_cast<std::uint64_t>(format.block_bytes), 1) * block;
  }
  const bool rows_are_cut = tensor.format != &format && columns > longest_row_piece;
  if (!rows_are_cut) {
    for (std::uint64_t at = 0; at < total; at += size) pieces.push_back({file, index, at, std::min(size, total - at)});
    return;
  }
  for (std::uint64_t row = 0; row < total; row += columns)
    for (std::uint64_t at = 0; at < columns; at += longest_row_piece)
      pieces.push_back({file, index, row + at, std::min(longest_row_piece, columns - at)});
}

// In the order of the source: reading goes through it once.
std::vector<Piece> cut_all(std::span<const OutputFile> files) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  for (std::uint32_t f = 0; f < files.size(); ++f)
    for (std::uint32_t t = 0; t < files[f].tensors.size(); ++t) order.emplace_back(f, t);
  std::vector<Piece> pieces;
  for (const auto& [f, t] : order) cut(f, t, files[f].tensors[t], pieces);
  return pieces;
}

Status check_formats(std::span<const OutputFile> files) {
  for (const OutputFile& file : files)
    for (const OutputTensor& tensor : file.tensors)
      if (tensor.format != tensor.source->format && tensor.format->quantize == nullptr)
        return fail(Code::unsupported, "tensor {}: {} is not writable yet, only read; choose another type", quoted(tensor.name),
                    tensor.format->name);
  return {};
}

Result<Target> open_target(const OutputFile& file) {
  std::error_code none;
  if (std::filesystem::exists(file.path, none) && !std::filesystem::is_regular_file(file.path, none))
    return fail(Code::bad_input, "{}: there, and no regular file; give another name", quoted(file.path.native(), 256));
  std::vector<TensorInfo> infos;
  for (const OutputTensor& tensor : file.tensors) infos.push_back(tensor.info());
  QN_TRY(const GgufHeader header, encode_gguf_header(file.metadata, infos));
  QN_TRY(Target target, [&]() -> Result<Target> {
    QN_TRY(ReplacementFile opened, ReplacementFile::create(file.path));
    return Target{std::move(opened), {}};
  }());
  std::uint64_t position = header.bytes.size();
  for (const std::uint64_t bytes : header.tensor_bytes) {
    target.offsets.push_back(position);
    position += bytes + gguf::padding(bytes, header.alignment);
  }
  QN_OK(target.file.reserve(position));  // padding reads as zeros
  QN_OK(target.file.write(std::as_bytes(std::span(header.bytes))));
  return target;
}

constexpr float first_beyond_f16 = 65520;  // the least that rounds to infinity

// Whether a magnitude is `limit` or more, or no number: as bits all of these are large. Adding what the limit lacks of 2^31 carries into
// the highest bit of those, and of no other. Vectors are written out, since this is read for every weight and -O2 makes none of loops.
bool any_beyond(std::span<const float> values, float limit) {
  using Lanes = std::uint32_t __attribute__((vector_size(16)));
  constexpr std::size_t lanes = sizeof(Lanes) / sizeof(float);
  const std::uint32_t lack = 0x80000000u - std::bit_cast<std::uint32_t>(limit);
  Lanes carried = {};
  std::size_t at = 0;
  for (; at + lanes <= values.size(); at += lanes) {
    Lanes bits;
    std::memcpy(&bits, values.data() + at, sizeof bits);
    carried |= (bits & 0x7fffffffu) + lack;
  }
  std::uint32_t any = carried[0] | carried[1] | carried[2] | carried[3];
  for (; at < values.size(); ++at) any |= (std::bit_cast<std::uint32_t>(values[at]) & 0x7fffffffu) + lack;
  return any >= 0x80000000u;
}

Status check_values(const OutputTensor& tensor, const Piece& piece, std::span<const float> values) {
  const bool narrow = tensor.format->name == "F16";
  const float limit = narrow ? first_beyond_f16 : std::numeric_limits<float>::infinity();
  if (!any_beyond(values, limit)) return {};
  const auto bad = std::find_if(values.begin(), values.end(), [&](float v) { return !(std::fabs(v) < limit); });
  const std::uint64_t at = piece.first + static_cast<std::uint64_t>(bad - values.begin());
  const auto columns = static_cast<std::uint64_t>(tensor.source->columns());
  const std::string_view what =
      std::isfinite(*bad) ? "too large for F16, which ends at 65504; choose BF16" : "no number; the file is damaged, fetch it again";
  return fail(Code::bad_input, "tensor {}: row {}, column {}: {} is {}", quoted(tensor.source->name), at / columns, at % columns, *bad,
              what);
}

Status convert(const OutputTensor& tensor, const Piece& piece, std::span<const std::byte> source, Scratch& scratch) {
  const quant::Format& from = *tensor.source->format;
  const quant::Format& to = *tensor.format;
  const std::size_t count = piece.count, columns = static_cast<std::size_t>(tensor.source->columns());
  if (scratch.values.size() < count) scratch.values.resize(count);
  if (scratch.bytes.size() < bytes_of(to, count)) scratch.bytes.resize(bytes_of(to, count));
  const std::span<float> values(scratch.values.data(), count);
  from.dequantize(source.data(), values.data(), count / static_cast<std::size_t>(from.block_weights));
  QN_OK(check_values(tensor, piece, values));

  const std::size_t matrix = tensor.importance.empty() ? 0 : weights_of(*tensor.source) / (tensor.importance.size() / columns);
  for (std::size_t at = 0; at < count;) {
    const std::size_t weight = piece.first + at;
    const std::size_t part = std::min(columns - weight % columns, count - at);  // to the end of its row
    const float* importance = matrix == 0 ? nullptr : tensor.importance.data() + weight / matrix * columns + weight % columns;
    to.quantize(values.data() + at, importance, scratch.bytes.data() + bytes_of(to, at), part / static_cast<std::size_t>(to.block_weights));
    at += part;
  }
  return {};
}

// What the workers share.
class Work {
 public:
  Work(const Checkpoint& from, std::span<const OutputFile> files, std::span<const Target> targets, int workers)
      : from_(from), files_(files), targets_(targets), pieces_(cut_all(files)), scratch_(static_cast<std::size_t>(workers)) {
    for (const OutputFile& file : files)
      for (const OutputTensor& tensor : file.tensors) total_bytes_ += tensor.source->bytes.size();
  }

  // Takes pieces until there are none.
  void run(int worker, const std::function<Watch(RewriteProgress)>& watch) {
    while (!stopped_) {
      const std::size_t at = next_.fetch_add(1);
      if (at >= pieces_.size()) return;
      const std::size_t bytes = source_of(tensor_of(pieces_[at]), pieces_[at]).size();
      if (const Status done = write(pieces_[at], scratch_[static_cast<std::size_t>(worker)]); !done) stop(done.error());
      const std::uint64_t sum = done_bytes_ += bytes;
      if (worker == 0 && watch && watch({sum, total_bytes_}) == Watch::stop)
        stop({Code::cancelled, "stopped; what was there is as it was"});
    }
  }

  Status result() const {
    if (error_) return tl::unexpected<Error>(*error_);
    return {};
  }

 private:
  const OutputTensor& tensor_of(const Piece& piece) const { return files_[piece.file].tensors[piece.tensor]; }

  Status write(const Piece& piece, Scratch& scratch) {
    const OutputTensor& tensor = tensor_of(piece);
    const std::span<const std::byte> source = source_of(tensor, piece);
    const bool as_is = tensor.format == tensor.source->format;
    if (const MappedFile* map = from_.map_of(source)) map->prefetch(source);  // one call in place of a fault for every few pages
    if (!as_is) QN_OK(convert(tensor, piece, source, scratch));
    const std::span<const std::byte> bytes =
        as_is ? source : std::span<const std::byte>(scratch.bytes).first(bytes_of(*tensor.format, piece.count));
    const Target& target = targets_[piece.file];
    QN_OK(target.file.write_at(target.offsets[piece.tensor] + bytes_of(*tensor.format, piece.first), bytes));
    release(source);
    return {};
  }

  // With the page that it begins in: the piece before it left that one.
  void release(std::span<const std::byte> source) const {
    const MappedFile* map = from_.map_of(source);
    if (map == nullptr) return;
    const std::size_t before = std::min<std::size_t>(page_bytes, static_cast<std::size_t>(source.data() - map->bytes().data()));
    map->release({source.data() - before, source.size() + before});
  }
  void stop(Error why) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(why);
    stopped_ = true;
  }

  const Checkpoint& from_;
  std::span<const OutputFile> files_;
  std::span<const Target> targets_;
  std::vector<Piece> pieces_;
  std::vector<Scratch> scratch_;  // by worker
  std::uint64_t total_bytes_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> done_bytes_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace

Status rewrite(const Checkpoint& from, std::span<const OutputFile> files, ThreadPool& pool,
               const std::function<Watch(RewriteProgress)>& watch) {
  QN_OK(check_formats(files));
  std::vector<Target> targets;
  for (const OutputFile& file : files) {
    QN_TRY(Target target, open_target(file));
    targets.push_back(std::move(target));
  }
  Work work(from, files, targets, pool.size());
  pool.for_parts(pool.size(), 1, [&](int worker, int, int) { work.run(worker, watch); });
  QN_OK(work.result());
  for (Target& target : targets) QN_OK(target.file.commit());
  return {};
}

}  // namespace qn::file
