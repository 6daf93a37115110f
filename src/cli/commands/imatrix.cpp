// quern imatrix: how strongly each input of each matrix is used when a model reads a text. Quantizers weigh their errors by it.
#include <algorithm>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/evaluate/importance_statistics.h"
#include "cli/evaluate/windows.h"
#include "cli/files/write_files.h"
#include "cli/model_loader.h"
#include "cli/state_files.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"
#include "model/importance_collector.h"

namespace qn::cli {
namespace {

constexpr int rows_a_step = 512;

struct Flags {
  std::vector<std::string> names, before;
  std::string model, text, out = "imatrix.gguf", form, context = "512";
  std::int64_t skip = 0, most = -1, every = 10, keep_every = 0;
  DeviceChoice devices;
  bool output = false, parse_special = false, statistics = false;
};

Result<bool> is_dat(const Flags& flags) {
  if (flags.form.empty()) return flags.out.ends_with(".dat");
  if (flags.form == "dat" || flags.form == "gguf") return flags.form == "dat";
  return fail(Code::bad_input, "--output-format: expected gguf or dat, got {}", quoted(flags.form));
}

Result<file::ImportanceMatrix> read_earlier(const Flags& flags) {
  file::ImportanceMatrix all;
  for (const std::string& path : flags.before) {
    QN_TRY(const file::ImportanceMatrix one, file::read_importance(path));
    all.add(one);
  }
  return all;
}

class Collection {
 public:
  Collection(const Flags& flags, file::ImportanceMatrix earlier, bool dat)
      : flags_(flags),
        earlier_(std::move(earlier)),
        dat_(dat),
        collector_(flags.output ? model::CollectOf::layers_and_output : model::CollectOf::layers) {}

  Status run(Io& io) {
    QN_TRY(const std::int64_t tokens, read_count("--ctx", flags_.context));
    if (tokens < 8) return fail(Code::bad_input, "--ctx: {} is too short; give at least 8", tokens);
    window_tokens_ = static_cast<int>(tokens);
    QN_TRY(const std::string text, read_small_file(flags_.text, longest_text_bytes));
    QN_TRY(const std::unique_ptr<ModelLoader> loader, ModelLoader::make(flags_.devices, io));
    loader->show_products(collector_);
    const serve::LoadOptions options{.context_tokens = window_tokens_};
    QN_TRY(const std::unique_ptr<serve::LoadedModel> model, loader->load(flags_.model, options, ModelLoader::For::logits));
    QN_TRY(const Windows windows, Windows::cut(*model->tokenizer, text, flags_.text,
                                               {.tokens = static_cast<std::size_t>(tokens),
                                                .skip = flags_.skip,
                                                .most = flags_.most,
                                                .specials = flags_.parse_special ? text::Specials::parse : text::Specials::as_text}));
    const auto forward_options = window_options(model->kv, windows.window_tokens(), rows_a_step, flags_.output ? logits_rows_a_step : 1);
    QN_TRY(const std::unique_ptr<model::Forward> forward, model::Forward::make(model->model, forward_options));
    return read(*forward, windows, io);
  }

 private:
  Status read(model::Forward& forward, const Windows& windows, Io& io) {
    const SteadyClock clock;
    const Interrupt interrupt;
    Progress progress(io, "reading", Measure::windows, clock);
    for (std::size_t i = 0; i < windows.count(); ++i) {
      const std::vector<TokenId> window = windows.window(i);
      // The head is computed only where it is watched.
      QN_OK(read_window(forward, window, flags_.output ? 0 : window.size(), i + 1, [](std::size_t, std::span<const float>) {}));
      if (!collector_.damaged().empty())
        return fail(Code::bad_input, "tensor {}: what goes into it is no number; the model is damaged, fetch it again",
                    collector_.damaged());
      if (Interrupt::pending()) return fail(Code::cancelled, "stopped after {} of {} windows", i, windows.count());
      progress.show(i + 1, windows.count());
      const auto done = static_cast<std::int64_t>(i) + 1;
      if (flags_.every > 0 && done % flags_.every == 0 && i + 1 < windows.count()) QN_OK(write(flags_.out, done));
      if (flags_.keep_every > 0 && done % flags_.keep_every == 0) QN_OK(write(fmt::format("{}.at_{}", flags_.out, done), done));
    }
    QN_OK(write(flags_.out, static_cast<std::int64_t>(windows.count())));
    fmt::print(io.out, "{}: {} windows of {} tokens\n", flags_.out, windows.count(), windows.window_tokens());
    return {};
  }

  Status write(const std::string& path, std::int64_t windows) const {
    file::ImportanceMatrix matrix = collector_.matrix();
    matrix.datasets = {flags_.text};
    matrix.chunks = static_cast<int>(windows);
    matrix.chunk_tokens = window_tokens_;
    file::ImportanceMatrix all = earlier_;
    all.add(matrix);
    return dat_ ? file::write_importance_dat(all, path) : file::write_importance_gguf(all, path);
  }

  const Flags& flags_;
  file::ImportanceMatrix earlier_;
  bool dat_;
  model::ImportanceCollector collector_;
  int window_tokens_ = 0;
};

Status run(const Flags& flags, Io& io) {
  QN_TRY(file::ImportanceMatrix earlier, read_earlier(flags));
  if (flags.statistics) {
    fmt::print(io.out, "{}", importance_statistics(earlier));
    return {};
  }
  QN_TRY(const bool dat, is_dat(flags));
  if (!flags.text.empty()) return Collection(flags, std::move(earlier), dat).run(io);
  QN_OK(dat ? file::write_importance_dat(earlier, flags.out) : file::write_importance_gguf(earlier, flags.out));
  fmt::print(io.out, "{}: {} files joined\n", flags.out, flags.before.size());
  return {};
}

int run_imatrix(std::span<const std::string> args, Io& io) {
  Flags flags;
  CLI::App app;
  app.add_option("model", flags.names);
  app.add_option("-m,--model", flags.model, "the model, in place of the first word; best in F16, BF16 or Q8_0")
      ->type_name("FILE")
      ->group("Options");
  app.add_option("-f,--file", flags.text, "the text that the model reads")->type_name("TEXT")->group("Options");
  app.add_option("-o,--output", flags.out, "the matrix (default: imatrix.gguf)")->type_name("FILE")->group("Options");
  app.add_option("--output-format", flags.form, "gguf, or dat, which older programs read (default: by the name)")
      ->type_name("gguf|dat")
      ->group("Options");
  app.add_option("-c,--ctx,--ctx-size", flags.context, "tokens of a window (default: 512)")->type_name("N")->group("Options");
  app.add_option("--chunk,--from-chunk", flags.skip, "windows at the beginning to leave out")->type_name("N")->group("Options");
  app.add_option("--chunks", flags.most, "windows to read; -1: all (default)")->type_name("N")->group("Options");
  app.add_option("--output-frequency", flags.every, "write what there is after every N windows (default: 10; 0: at the end)")
      ->type_name("N")
      ->group("Options");
  app.add_option("--save-frequency", flags.keep_every, "and keep it as FILE.at_N")->type_name("N")->group("Options");
  app.add_flag("--process-output", flags.output, "measure output.weight too")->group("Options");
  app.add_flag("--parse-special", flags.parse_special, "special tokens in the text, such as <|im_start|>, count as such")->group("Options");
  declare_thread_flags(app, flags.devices.threads, "Threads");
  app.add_option("--in-file", flags.before, "an earlier matrix to add to; repeatable. Without a text: join them")
      ->type_name("FILE")
      ->group("Options");
  app.add_flag("--show-statistics", flags.statistics, "print what the matrices of --in-file say, and end")->group("Options");
  const Help help{
      .command = "imatrix",
      .summary = "Measures which inputs of a model's matrices matter when it reads a text, for quern quantize --imatrix.",
      .usage = {"quern imatrix MODEL -f TEXT [-o FILE] [flags]"},
      .examples = {"quern imatrix model-f16.gguf -f calibration.txt -o model.imatrix.gguf",
                   "quern imatrix --in-file a.gguf --in-file b.dat -o both.gguf", "quern imatrix --in-file a.gguf --show-statistics"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (!flags.names.empty() && flags.model.empty()) {
    flags.model = flags.names.front();
    flags.names.erase(flags.names.begin());
  }
  if (!flags.names.empty()) return usage_error(io, "imatrix", fmt::format("{}: unexpected argument", qn::quoted(flags.names.front())));
  const bool reads = !flags.model.empty() && !flags.text.empty();
  if (!reads && flags.before.empty()) return usage_error(io, "imatrix", "a model and a text are needed: quern imatrix MODEL -f TEXT");
  if (flags.statistics && flags.before.empty())
    return usage_error(io, "imatrix", "--show-statistics: a matrix is missing; give --in-file FILE");
  if (!flags.text.empty() && flags.model.empty()) return usage_error(io, "imatrix", "a model is missing: quern imatrix MODEL -f TEXT");
  const Status done = run(flags, io);
  return done ? exit_ok : failed(io, done.error());
}

}  // namespace

Command command_imatrix() {
  return {"imatrix", "measure which inputs of a model's matrices matter, for quantize", Group::models, run_imatrix};
}

}  // namespace qn::cli
