// quern perplexity: how well a model predicts a text.
//   source   llama.cpp tools/perplexity: windows of c tokens, of each of which the second half is scored
#include <cmath>
#include <limits>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/evaluate/divergence.h"
#include "cli/evaluate/windows.h"
#include "cli/model_loader.h"
#include "cli/state_files.h"
#include "file/log_probabilities.h"

namespace qn::cli {
namespace {

constexpr int rows_a_step = 512;  // where no logits are wanted

struct Score {
  double sum = 0, sum_of_squares = 0;  // of -log p
  std::int64_t count = 0;

  void add(double surprise) {
    sum += surprise;
    sum_of_squares += surprise * surprise;
    ++count;
  }
  double perplexity() const { return std::exp(sum / static_cast<double>(count)); }
  double uncertainty() const {
    const double mean = sum / static_cast<double>(count);
    const double variance = sum_of_squares / static_cast<double>(count) - mean * mean;
    return count < 2 || variance <= 0 ? 0 : std::sqrt(variance / static_cast<double>(count - 1)) * perplexity();
  }
};

double surprise(std::span<const float> logits, TokenId token) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float logit : logits) largest = std::max(largest, logit);
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit - largest));
  return std::log(total) + largest - logits[static_cast<std::size_t>(token)];
}

struct Flags {
  std::string model, text, context = "512", kv_type, base;
  std::int64_t chunks = -1;
  DeviceChoice devices;
  LoadingChoice loading;
  bool divergence = false, parse_special = false, verbose = false;
};

// The windows of the text, or those that the other model has read.
Result<Windows> find_windows(const Flags& flags, const text::Tokenizer& tokenizer, const std::optional<file::LogProbabilities>& base) {
  if (base) {
    if (base->vocab() != tokenizer.vocab_size())
      return fail(Code::bad_input, "{}: its vocabulary has {} tokens, the model's {}; it was made with another model", flags.base,
                  base->vocab(), tokenizer.vocab_size());
    const auto window = static_cast<std::size_t>(base->window_tokens());
    const std::size_t all = base->tokens().size() / window;
    const std::size_t count = flags.chunks < 0 ? all : std::min(all, static_cast<std::size_t>(flags.chunks));
    if (count == 0) return fail(Code::bad_input, "--chunks: 0 windows leave nothing to score; give at least 1");
    const std::span<const TokenId> tokens = base->tokens().first(count * window);
    return Windows({tokens.begin(), tokens.end()}, window, window_bos(tokenizer));
  }
  QN_TRY(const std::int64_t window, read_count("--ctx", flags.context));
  if (window < 8) return fail(Code::bad_input, "--ctx: {} is too short; give at least 8", window);
  QN_TRY(const std::string text, read_small_file(flags.text, longest_text_bytes));
  return Windows::cut(tokenizer, text, flags.text,
                      {.tokens = static_cast<std::size_t>(window),
                       .most = flags.chunks,
                       .specials = flags.parse_special ? text::Specials::parse : text::Specials::as_text});
}

struct Measured {
  Score score;
  Divergence divergence;
};

Result<Measured> measure(const Flags& flags, Io& io) {
  std::optional<file::LogProbabilities> base;
  if (flags.divergence) {
    QN_TRY(base, file::LogProbabilities::open(flags.base));
  }
  std::int64_t context = 0;
  if (base)
    context = base->window_tokens();
  else {
    QN_TRY(context, read_count("--ctx", flags.context));
  }
  serve::LoadOptions options{.context_tokens = static_cast<int>(std::max<std::int64_t>(context, 8))};
  QN_OK(read_loading(flags.loading, options));
  if (!flags.kv_type.empty()) QN_OK(read_cache_formats("--kv-type", flags.kv_type, options));
  QN_TRY(const std::unique_ptr<ModelLoader> loader, ModelLoader::make(flags.devices, io));
  QN_TRY(const std::unique_ptr<serve::LoadedModel> model, loader->load(flags.model, options, ModelLoader::For::logits));
  QN_TRY(const Windows windows, find_windows(flags, *model->tokenizer, base));

  const auto tokens = windows.window_tokens();
  QN_TRY(const std::unique_ptr<model::Forward> forward,
         model::Forward::make(model->model, window_options(model->kv, tokens, rows_a_step, logits_rows_a_step)));
  std::optional<file::LogProbabilityWriter> kept;
  if (!flags.base.empty() && !base) {
    QN_TRY(kept, file::LogProbabilityWriter::create(flags.base, static_cast<int>(tokens), model->model->sizes().vocab, windows.tokens()));
  }
  Measured measured;
  std::vector<float> base_row(static_cast<std::size_t>(base ? base->vocab() : 0));
  for (std::size_t i = 0; i < windows.count(); ++i) {
    const std::vector<TokenId> window = windows.window(i);
    Status written;
    const auto row = [&](std::size_t position, std::span<const float> logits) {
      const TokenId next = window[position + 1];
      measured.score.add(surprise(logits, next));
      if (kept && written) written = kept->add(logits);
      if (!base) return;
      base->row(static_cast<int>(i), static_cast<int>(position), base_row);
      measured.divergence.add(logits, base_row, next);
    };
    QN_OK(read_window(*forward, std::span(window).first(tokens - 1), tokens / 2, i + 1, row));
    QN_OK(std::move(written));
    if (flags.verbose) fmt::print(io.err, "[{}/{}] {:.4f}\n", i + 1, windows.count(), measured.score.perplexity());
  }
  if (kept) QN_OK(kept->finish());
  return measured;
}

int run_perplexity(std::span<const std::string> args, Io& io) {
  Flags flags;
  std::vector<std::string> names;
  CLI::App app;
  app.add_option("model", names);
  app.add_option("-m,--model", flags.model, "the model, in place of the first word")->type_name("FILE")->group("Options");
  app.add_option("-f,--file", flags.text, "the text")->type_name("TEXT")->group("Options");
  app.add_option("-c,--ctx,--ctx-size", flags.context, "tokens of a window (default: 512)")->type_name("N")->group("Options");
  app.add_option("--chunks", flags.chunks, "windows to score; -1: all (default)")->type_name("N")->group("Options");
  declare_thread_flags(app, flags.devices.threads, "Threads");
  declare_loading_flags(app, flags.loading, "Options");
  app.add_option("--kv-type", flags.kv_type, "format of the cache: f16 (default), f32, q8_0, …; K,V for two")
      ->type_name("K[,V]")
      ->group("Options");
  app.add_flag("--parse-special", flags.parse_special, "special tokens in the text, such as <|im_start|>, count as such")->group("Options");
  app.add_flag("--verbose", flags.verbose, "print the estimate after each window, on stderr")->group("Options");
  app.add_option("--kl-divergence-base,--save-all-logits", flags.base,
                 "keep what the model says in FILE; with --kl-divergence, read it (the form of llama-perplexity's file)")
      ->type_name("FILE")
      ->group("Comparing models");
  app.add_flag("--kl-divergence", flags.divergence, "measure how far the model is from the one that wrote the file, over the same text")
      ->group("Comparing models");
  const Help help{.command = "perplexity",
                  .summary = "Measures how well a model predicts a text: lower is better, and only figures of the same text compare.",
                  .usage = {"quern perplexity MODEL -f TEXT [flags]", "quern perplexity MODEL --kl-divergence --kl-divergence-base FILE"},
                  .examples = {"quern perplexity model.gguf -f wiki.test.raw", "quern perplexity quern-mini -f text.txt -c 256",
                               "quern perplexity model-f16.gguf -f wiki.test.raw --kl-divergence-base f16.kld",
                               "quern perplexity model-q4_k_m.gguf --kl-divergence --kl-divergence-base f16.kld"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (!names.empty() && flags.model.empty()) {
    flags.model = names.front();
    names.erase(names.begin());
  }
  if (!names.empty()) return usage_error(io, "perplexity", fmt::format("{}: unexpected argument", qn::quoted(names.front())));
  if (flags.divergence && flags.base.empty())
    return usage_error(io, "perplexity", "--kl-divergence: what to compare with is missing; give --kl-divergence-base FILE");
  if (flags.model.empty() || (flags.text.empty() && !flags.divergence))
    return usage_error(io, "perplexity", "a model and a text are needed: quern perplexity MODEL -f TEXT");

  const Result<Measured> measured = measure(flags, io);
  if (!measured) return report(io, measured.error());
  if (flags.divergence) fmt::print(io.out, "{}\n", measured->divergence.report());
  fmt::print(io.out, "Final estimate: PPL = {:.4f} +/- {:.5f}\n", measured->score.perplexity(), measured->score.uncertainty());
  return exit_ok;
}

}  // namespace

Command command_perplexity() {
  return {"perplexity", "measure how well a model predicts a text", Group::tools, run_perplexity};
}

}  // namespace qn::cli
