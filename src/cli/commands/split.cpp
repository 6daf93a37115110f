// quern split: one model file in several, and several in one.
#include <charconv>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/files/write_files.h"
#include "cli/model_loader.h"
#include "cli/units.h"
#include "file/part.h"

namespace qn::cli {
namespace {

constexpr std::size_t default_tensors = 128;

struct Flags {
  std::vector<std::string> words;
  std::string max_size;
  std::optional<std::size_t> max_tensors;
  std::optional<int> threads;
  bool split = false, merge = false, metadata_first = false, dry_run = false, delete_parts = false;
};

// "2G", "300M": decimal, as files are measured.
Result<std::uint64_t> read_size(std::string_view text) {
  const std::uint64_t unit = text.ends_with('G') ? 1'000'000'000 : text.ends_with('M') ? 1'000'000 : 0;
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size() - (text.empty() ? 0 : 1);
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (unit == 0 || error != std::errc() || stop != end || number == 0 || number > UINT64_MAX / 2 / unit)
    return fail(Code::bad_input, "--split-max-size: expected a size such as 2G or 300M, got {}", quoted(text));
  return number * unit;
}

Status check_new(const file::OutputFile& part) {
  std::error_code none;
  if (std::filesystem::exists(part.path, none))
    return fail(Code::bad_input, "{}: it is there already; remove it, or give another name", quoted(part.path.native(), 256));
  return {};
}

void print_parts(std::span<const file::OutputFile> parts, Io& io) {
  for (const file::OutputFile& part : parts) {
    std::uint64_t bytes = 0;
    for (const file::OutputTensor& tensor : part.tensors) bytes += tensor.bytes();
    fmt::print(io.out, "{}: {} tensors, {}\n", part.path.string(), part.tensors.size(), disk_size(bytes));
  }
}

// The merged file is whole and synced: its tensors are compared with the parts' before those go.
Status delete_parts(const std::filesystem::path& first, const file::Checkpoint& parts, const std::filesystem::path& merged) {
  QN_TRY(const file::Checkpoint whole, file::open_gguf(merged));
  for (const file::TensorEntry& tensor : parts.tensors) {
    const file::TensorEntry* copy = whole.find(tensor.name);
    if (copy == nullptr || copy->bytes.size() != tensor.bytes.size() ||
        !std::equal(copy->bytes.begin(), copy->bytes.end(), tensor.bytes.begin()))
      return fail(Code::internal, "{}: tensor {} differs from the part's; the parts are left", quoted(merged.native(), 256),
                  quoted(tensor.name));
  }
  const auto name = file::read_part_name(first.filename().native());
  for (std::int64_t number = 1; name && number <= name->count; ++number) {
    std::error_code error;
    const std::filesystem::path part = first.parent_path() / file::part_name(name->prefix, number, name->count);
    std::filesystem::remove(part, error);
    if (error) return fail(Code::io, "{}: cannot be removed: {}; remove it by hand", quoted(part.native(), 256), error.message());
  }
  return {};
}

Status run(const Flags& flags, Io& io) {
  const std::string& in = flags.words[0];
  const std::filesystem::path out = flags.words[1];
  QN_TRY(const file::Checkpoint model, open_model(in));
  std::vector<file::OutputFile> files;
  if (flags.merge) {
    files.push_back(file::plan_merge(model, out));
  } else {
    file::SplitLimits limits{.metadata_first = flags.metadata_first};
    if (!flags.max_size.empty()) {
      QN_TRY(limits.max_bytes, read_size(flags.max_size));
    }
    if (flags.max_size.empty()) limits.max_tensors = flags.max_tensors.value_or(default_tensors);
    QN_TRY(files, file::plan_split(model, limits, out));
  }
  if (flags.dry_run) {
    print_parts(files, io);
    return {};
  }
  for (const file::OutputFile& part : files) QN_OK(check_new(part));
  QN_OK(write_files(model, files, flags.merge ? "merging" : "splitting", flags.threads, io));
  print_parts(files, io);
  if (flags.merge && flags.delete_parts) QN_OK(delete_parts(in, model, out));
  return {};
}

int run_split(std::span<const std::string> args, Io& io) {
  Flags flags;
  CLI::App app;
  app.add_option("words", flags.words);
  app.add_flag("--split", flags.split, "one file in several (default)")->group("Options");
  app.add_flag("--merge", flags.merge, "several files in one; give the first")->group("Options");
  app.add_option("--split-max-size", flags.max_size, "size of a part's tensors, at most: 300M, 2G (10^6, 10^9 bytes)")
      ->type_name("N")
      ->group("Options");
  app.add_option("--split-max-tensors", flags.max_tensors, "tensors in a part, at most (default: 128)")->type_name("N")->group("Options");
  app.add_flag("--no-tensor-first-split", flags.metadata_first, "the first part holds the metadata alone")->group("Options");
  app.add_flag("--delete-splits", flags.delete_parts, "with --merge: remove the parts when the file is whole and equal")->group("Options");
  app.add_flag("--dry-run", flags.dry_run, "print the parts, and write nothing")->group("Options");
  app.add_option("-t,--threads", flags.threads, "threads to copy with (default: all cores)")->type_name("N")->group("Options");
  const Help help{
      .command = "split",
      .summary = "Splits a model file into parts, PREFIX-00001-of-00003.gguf and so on, or joins parts. Files that are there stay.",
      .usage = {"quern split IN OUT-PREFIX [flags]", "quern split --merge FIRST-PART OUT"},
      .examples = {"quern split model.gguf part --split-max-size 2G", "quern split --merge part-00001-of-00003.gguf whole.gguf"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (flags.words.size() != 2) return usage_error(io, "split", "two names are needed: quern split IN OUT-PREFIX");
  if (flags.split && flags.merge) return usage_error(io, "split", "--split and --merge: both given; give one of them");
  if (!flags.max_size.empty() && flags.max_tensors)
    return usage_error(io, "split", "--split-max-size and --split-max-tensors: both given; give one of them");
  if (flags.max_tensors && *flags.max_tensors == 0) return usage_error(io, "split", "--split-max-tensors: 0; give at least 1");
  const Status done = run(flags, io);
  return done ? exit_ok : failed(io, done.error());
}

}  // namespace

Command command_split() {
  return {"split", "split a model file into parts, or join them", Group::models, run_split};
}

}  // namespace qn::cli
