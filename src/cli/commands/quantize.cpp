// quern quantize: a model in a smaller format.
#include <chrono>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/files/quantize_flags.h"
#include "cli/files/write_files.h"
#include "cli/model_loader.h"
#include "cli/units.h"

namespace qn::cli {
namespace {

struct Flags {
  std::vector<std::string> words, include, exclude, overrides, metadata;
  std::string output, token_embedding, importance, override_file, layers;
  std::optional<int> threads;
  bool requantize = false, leave_output = false, pure = false, keep_split = false, dry_run = false, list = false;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("words", flags.words);
  app.add_option("--imatrix", flags.importance, "importance matrix (quern imatrix makes one): errors that matter more count more")
      ->type_name("FILE")
      ->group("Quality");
  app.add_option("--include-weights", flags.include, "use it only for tensors with NAME in their name")
      ->type_name("NAME")
      ->group("Quality");
  app.add_option("--exclude-weights", flags.exclude, "do not use it for those")->type_name("NAME")->group("Quality");
  app.add_flag("--requantize,--allow-requantize", flags.requantize, "take tensors that are quantized already; more is lost")
      ->group("Quality");
  app.add_flag("--pure", flags.pure, "one type for every matrix, instead of better ones for those that matter more")->group("Types");
  app.add_flag("--keep-output,--leave-output-tensor", flags.leave_output, "leave output.weight as it is")->group("Types");
  app.add_option("--output-type,--output-tensor-type", flags.output, "type of output.weight")->type_name("TYPE")->group("Types");
  app.add_option("--embedding-type,--token-embedding-type", flags.token_embedding, "type of token_embd.weight")
      ->type_name("TYPE")
      ->group("Types");
  app.add_option("--tensor-type", flags.overrides, "type of the tensors whose name matches (a regular expression); the first counts")
      ->type_name("NAME=TYPE")
      ->group("Types");
  app.add_option("--tensor-type-file", flags.override_file, "a file of such, one a line")->type_name("FILE")->group("Types");
  app.add_option("--set,--override-kv", flags.metadata, "change metadata; TYPE is int, float, bool or str")
      ->type_name("KEY=TYPE:VALUE")
      ->group("File");
  app.add_option("--without-layers,--prune-layers", flags.layers, "leave these layers out")->type_name("L0,L1,…")->group("File");
  app.add_flag("--keep-split", flags.keep_split, "as many files as IN has")->group("File");
  app.add_flag("--dry-run", flags.dry_run, "print what each tensor would become, and write nothing")->group("File");
  app.add_option("-t,--threads", flags.threads, "threads to compute with (default: all cores)")->type_name("N")->group("File");
  app.add_flag("--types", flags.list, "list the types")->group("Help");
}

void list_types(Io& io) {
  std::vector<std::string> names, texts;
  for (const file::Mix& mix : file::mixes()) {
    names.push_back(mix.alias.empty() ? std::string(mix.name) : fmt::format("{}, {}", mix.name, mix.alias));
    const quant::Format* base = quant::find_format(mix.base);
    const bool writable = base == nullptr || base->quantize != nullptr;
    texts.push_back(fmt::format("{}{}", mix.about, writable ? "" : " (not writable yet)"));
  }
  std::vector<HelpRow> rows;
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({names[i], texts[i]});
  print_rows(io.out, rows);
}

Result<file::ImportanceMatrix> read_matrix(const Flags& flags, Io& io) {
  if (!flags.include.empty() && !flags.exclude.empty())
    return fail(Code::bad_input, "--include-weights and --exclude-weights: both given; give one of them");
  QN_TRY(file::ImportanceMatrix matrix, file::read_importance(flags.importance));
  const auto names_one = [](const std::vector<std::string>& parts, std::string_view name) {
    for (const std::string& part : parts)
      if (name.find(part) != std::string_view::npos) return true;
    return false;
  };
  std::erase_if(matrix.entries, [&](const auto& entry) {
    return flags.include.empty() ? names_one(flags.exclude, entry.first) : !names_one(flags.include, entry.first);
  });
  if (matrix.entries.empty()) note(io, fmt::format("{}: no entry is left; it has no effect", flags.importance));
  return matrix;
}

// What a file says of the matrix that it was made with.
void add_matrix_keys(const file::ImportanceMatrix& matrix, const std::string& path, file::QuantizeOptions& options) {
  options.metadata.emplace_back("quantize.imatrix.file", path);
  if (!matrix.datasets.empty()) options.metadata.emplace_back("quantize.imatrix.dataset", matrix.datasets.front());
  options.metadata.emplace_back("quantize.imatrix.entries_count", static_cast<std::uint32_t>(matrix.entries.size()));
  if (matrix.chunks > 0) options.metadata.emplace_back("quantize.imatrix.chunks_count", static_cast<std::uint32_t>(matrix.chunks));
}

Result<file::QuantizeOptions> read_options(const Flags& flags, const file::Mix& mix) {
  file::QuantizeOptions options{
      .mix = &mix, .pure = flags.pure, .leave_output = flags.leave_output, .requantize = flags.requantize, .keep_split = flags.keep_split};
  if (!flags.output.empty()) {
    QN_TRY(options.output, read_format("--output-type", flags.output));
  }
  if (!flags.token_embedding.empty()) {
    QN_TRY(options.token_embedding, read_format("--embedding-type", flags.token_embedding));
  }
  for (const std::string& text : flags.overrides) {
    QN_TRY(file::FormatOverride row, read_override(text));
    options.overrides.push_back(std::move(row));
  }
  if (!flags.override_file.empty()) {
    QN_TRY(const std::vector<file::FormatOverride> rows, read_override_file(flags.override_file));
    options.overrides.insert(options.overrides.end(), rows.begin(), rows.end());
  }
  for (const std::string& text : flags.metadata) {
    QN_TRY(auto change, read_metadata_change(text));
    options.metadata.push_back(std::move(change));
  }
  if (!flags.layers.empty()) {
    QN_TRY(options.pruned_layers, read_layers(flags.layers));
  }
  return options;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", size);
  return "[" + text + "]";
}

void print_plan(const file::QuantizePlan& plan, Io& io) {
  for (const file::OutputFile& part : plan.files)
    for (const file::OutputTensor& tensor : part.tensors) {
      const file::TensorEntry& source = *tensor.source;
      fmt::print(io.out, "{:<36} {:<20} {:>7} -> {:<7} {:>10} -> {:>10}\n", qn::quoted(tensor.name, 256), shape_text(source.shape),
                 source.format->name, tensor.format->name, disk_size(source.bytes.size()), disk_size(tensor.bytes()));
    }
}

std::string summary(const file::QuantizePlan& plan) {
  const double bits = static_cast<double>(plan.bytes()) * 8 / static_cast<double>(std::max<std::uint64_t>(plan.weights(), 1));
  return fmt::format("{} -> {}, {:.2f} bits a weight", disk_size(plan.source_bytes()), disk_size(plan.bytes()), bits);
}

Status check_measured(const file::QuantizePlan& plan) {
  if (plan.unmeasured.empty()) return {};
  return fail(Code::bad_input, "tensor {}{}: its type is of no use without an importance matrix; give --imatrix FILE (see quern imatrix)",
              quoted(plan.unmeasured.front()), plan.unmeasured.size() > 1 ? fmt::format(" and {} more", plan.unmeasured.size() - 1) : "");
}

std::filesystem::path default_out(const QuantizeWords& words, const Flags& flags) {
  return std::filesystem::path(words.in).parent_path() / fmt::format("ggml-model-{}{}", words.mix->name, flags.keep_split ? "" : ".gguf");
}

Status quantize(const Flags& flags, const QuantizeWords& words, Io& io) {
  const SteadyClock clock;
  const std::chrono::nanoseconds began = clock.now();
  QN_TRY(file::QuantizeOptions options, read_options(flags, *words.mix));
  std::optional<file::ImportanceMatrix> matrix;
  if (!flags.importance.empty()) {
    QN_TRY(matrix, read_matrix(flags, io));
    options.importance = &*matrix;
    add_matrix_keys(*matrix, flags.importance, options);
  }
  QN_TRY(const file::Checkpoint model, open_model(words.in));
  const std::filesystem::path out = words.out ? std::filesystem::path(*words.out) : default_out(words, flags);
  QN_TRY(const file::QuantizePlan plan, file::plan_quantize(model, options, out));
  if (flags.dry_run) print_plan(plan, io);
  for (const file::Fallback& row : plan.fallbacks)
    note(io, fmt::format("{}: its rows do not divide into blocks of {}; it gets {}", qn::quoted(row.tensor, 256), row.wanted->name,
                         row.given->name));
  if (flags.dry_run) {
    if (const Status measured = check_measured(plan); !measured) note(io, measured.error().message);
    fmt::print(io.out, "{}: {}\n", words.mix->name, summary(plan));
    return {};
  }
  QN_OK(check_measured(plan));
  QN_OK(check_not_same(words.in, plan.files));
  QN_OK(write_files(model, plan.files, "quantizing", words.threads ? words.threads : flags.threads, io));
  const double seconds = std::chrono::duration<double>(clock.now() - began).count();
  fmt::print(io.out, "{}: {}, {}; {:.1f} s, {:.0f} MB/s\n", plan.files.front().path.string(), words.mix->name, summary(plan), seconds,
             static_cast<double>(plan.source_bytes()) / 1e6 / std::max(seconds, 1e-3));
  return {};
}

int run_quantize(std::span<const std::string> args, Io& io) {
  Flags flags;
  CLI::App app;
  add_flags(app, flags);
  const Help help{
      .command = "quantize",
      .summary = "Writes a model in a smaller format. OUT appears when it is whole; it defaults to ggml-model-TYPE.gguf beside IN.",
      .usage = {"quern quantize IN [OUT] TYPE [THREADS] [flags]"},
      .examples = {"quern quantize model-f16.gguf model-q4_k_m.gguf Q4_K_M", "quern quantize --dry-run model-f16.gguf IQ4_XS",
                   "quern quantize model.gguf small.gguf IQ2_M --imatrix model.imatrix.gguf",
                   "quern quantize model.gguf out.gguf Q4_K_M --tensor-type attn_v=q8_0 --output-type q8_0"},
      .more = "quern quantize --types lists the types; docs/quantize.md says what each costs."};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (flags.list) {
    list_types(io);
    return exit_ok;
  }
  const Result<QuantizeWords> words = read_quantize_words(flags.words);
  if (!words) return usage_error(io, "quantize", words.error().message);
  const Status done = quantize(flags, *words, io);
  return done ? exit_ok : failed(io, done.error());
}

}  // namespace

Command command_quantize() {
  return {"quantize", "write a model in a smaller format", Group::models, run_quantize};
}

}  // namespace qn::cli
