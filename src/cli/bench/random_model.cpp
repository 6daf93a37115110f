#include "cli/bench/random_model.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "base/random.h"
#include "file/quantize/chooser.h"
#include "quant/random_blocks.h"

namespace qn::cli {
namespace {

constexpr float spread_of_weights = 0.02F;  // as trained models start out
constexpr float spread_of_vectors = 0.03F;
constexpr std::size_t pool_bytes = std::size_t{8} << 20;  // drawn once a format; tensors are cut from it at random places
constexpr std::size_t piece_bytes = std::size_t{256} << 10;
constexpr std::uint64_t room_left_bytes = std::uint64_t{64} << 20;  // on the disk, for others

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

void add_vocabulary(file::Metadata& metadata, const text::VocabSpec& vocab, int size) {
  file::ArrayOf<std::string> tokens{vocab.tokens}, merges;
  file::ArrayOf<std::int32_t> types;
  for (const text::TokenType type : vocab.types) types.values.push_back(static_cast<std::int32_t>(type));
  for (std::size_t id = tokens.values.size(); id < static_cast<std::size_t>(size); ++id) {
    tokens.values.push_back(fmt::format("[PAD{}]", id));
    types.values.push_back(static_cast<std::int32_t>(text::TokenType::unused));
  }
  for (const auto& [left, right] : vocab.merges) merges.values.push_back(left + " " + right);
  metadata.set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.set("tokenizer.ggml.pre", std::string(vocab.pre_split == text::PreSplit::llama3 ? "llama-bpe" : "qwen2"));
  metadata.set("tokenizer.ggml.tokens", std::move(tokens));
  metadata.set("tokenizer.ggml.token_type", std::move(types));
  metadata.set("tokenizer.ggml.merges", std::move(merges));
  if (vocab.eos >= 0) metadata.set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(vocab.eos));
  if (vocab.bos >= 0) metadata.set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(vocab.bos));
  metadata.set("tokenizer.ggml.add_bos_token", vocab.add_bos);
}

// Random blocks of one format, to be cut from at random places: drawing every byte anew would be slower than any disk.
class Pool {
 public:
  Pool(const quant::Format& format, float spread) : block_bytes_(static_cast<std::size_t>(format.block_bytes)) {
    bytes_.resize(pool_bytes / block_bytes_ * block_bytes_);
    quant::fill_random(format, format.gguf_type, spread, bytes_);
  }
  std::span<const std::byte> piece(std::uint64_t seed, std::uint64_t at, std::uint64_t wanted) const {
    const std::size_t blocks = bytes_.size() / block_bytes_;
    const std::size_t first = philox(seed, at)[0] % blocks;
    const std::size_t there = std::min((blocks - first) * block_bytes_, piece_bytes / block_bytes_ * block_bytes_);
    return std::span(bytes_).subspan(first * block_bytes_, std::min<std::uint64_t>(there, wanted));
  }

 private:
  std::size_t block_bytes_;
  std::vector<std::byte> bytes_;
};

Status write_vector(file::GgufWriter& writer, const file::TensorInfo& tensor, float centre, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(tensor.shape[0]));
  quant::fill_random(*tensor.format, seed, spread_of_vectors, std::as_writable_bytes(std::span(values)));
  for (float& value : values) value += centre;
  return writer.write(std::as_bytes(std::span(values)));
}

Status check_room(const RandomModel& model, const std::filesystem::path& target) {
  std::error_code none;
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const std::filesystem::space_info space = std::filesystem::space(folder, none);
  if (none || model.bytes + room_left_bytes <= space.available) return {};
  return fail(Code::io,
              "{}: the model takes {:.2f} GiB, {:.2f} GiB are free there; give --keep on another disk, fewer --layers or a "
              "smaller --quant",
              quoted(folder.native(), 256), gib(model.bytes), gib(space.available));
}

}  // namespace

Result<Types> find_types(std::string_view name) {
  const auto mix = file::find_mix(name);
  if (mix && !(*mix)->base.empty()) return Types{.mix = *mix};
  if (const quant::Format* format = quant::find_format(name); format != nullptr) return Types{.pure = format};
  if (!mix) return fail(mix.error().code, "--quant: {}", mix.error().message);
  return fail(Code::bad_input, "--quant: {} says no type for random weights; give one such as Q4_K_M", (*mix)->name);
}

RandomModel plan_random_model(const Shape& shape, const Types& types, const text::VocabSpec* vocab) {
  RandomModel model{.metadata = metadata_of(shape)};
  model.metadata.set("general.quantized_by", std::string("quern bench"));
  model.metadata.set("general.quantization_version", std::uint32_t{2});
  if (types.mix != nullptr) model.metadata.set("general.file_type", static_cast<std::uint32_t>(types.mix->file_type));
  if (vocab != nullptr) {
    add_vocabulary(model.metadata, *vocab, shape.vocab);
  } else {
    model.metadata.set("tokenizer.ggml.model", std::string("none"));
  }
  std::optional<file::Chooser> chooser;
  if (types.mix != nullptr)
    chooser.emplace(*types.mix, file::ModelFacts{.architecture = std::string(shape.architecture),
                                                 .layers = shape.layers,
                                                 .heads_per_kv_head = shape.heads / shape.kv_heads,
                                                 .value_matrices = shape.layers,
                                                 .tied = shape.output == Head::tied});
  for (const ShapeTensor& tensor : tensors_of(shape)) {
    const bool vector = tensor.row->use == Use::vector;
    const quant::Format* wanted = vector    ? quant::find_format("F32")
                                  : chooser ? chooser->choose(tensor.name, tensor.columns, false)
                                            : types.pure;
    const quant::Format* format = file::fitting_format(wanted, tensor.columns);
    model.tensors.push_back({tensor.name, format, vector ? std::vector{tensor.columns} : std::vector{tensor.columns, tensor.rows}});
    model.centres.push_back(vector && tensor.row->key.ends_with("norm") ? 1.0F : 0.0F);
    model.bytes += format->row_bytes(tensor.columns) * static_cast<std::uint64_t>(tensor.rows);
  }
  return model;
}

Status write_random_model(const RandomModel& model, const std::filesystem::path& target,
                          const std::function<bool(std::uint64_t bytes)>& progress) {
  QN_OK(check_room(model, target));
  QN_TRY(file::GgufWriter writer, file::GgufWriter::create(target, model.metadata, model.tensors));
  std::map<const quant::Format*, Pool> pools;
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const file::TensorInfo& tensor = model.tensors[i];
    if (tensor.shape.size() == 1) {
      QN_OK(write_vector(writer, tensor, model.centres[i], i));
      continue;
    }
    const Pool& pool = pools.try_emplace(tensor.format, *tensor.format, spread_of_weights).first->second;
    std::uint64_t left = tensor.format->row_bytes(tensor.shape[0]) * static_cast<std::uint64_t>(tensor.shape[1]);
    for (std::uint64_t at = 0; left > 0; ++at) {
      const std::span<const std::byte> piece = pool.piece(i, at, left);
      QN_OK(writer.write(piece));
      left -= piece.size();
      written += piece.size();
      if (!progress(written)) return fail(Code::cancelled, "{}: stopped; nothing was kept", quoted(target.native(), 256));
    }
  }
  return writer.finish();
}

Result<ScratchFolder> ScratchFolder::make() {
  std::error_code none;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(none);
  std::string name = (folder.empty() ? std::filesystem::path("/tmp") : folder) / "quern-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr)
    return fail(Code::io, "{}: cannot be made ({}); set TMPDIR, or name a file with --keep", name, std::strerror(errno));
  return ScratchFolder(name);
}

ScratchFolder::~ScratchFolder() {
  std::error_code none;
  if (!path_.empty()) std::filesystem::remove_all(path_, none);
}

}  // namespace qn::cli
