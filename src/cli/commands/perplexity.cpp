// quern perplexity: how well a model predicts a text.
//   source   llama.cpp tools/perplexity: windows of c tokens, of each of which the second half is scored
#include <cmath>
#include <limits>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/model_loader.h"
#include "cli/state_files.h"
#include "model/forward.h"

namespace qn::cli {
namespace {

constexpr std::size_t longest_text_bytes = std::size_t{1} << 30;
constexpr int rows_a_step = 64;  // rows of logits are as long as the vocabulary: few at once

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

// Scores window[first + 1 ..) from the logits of window[first ..).
Status score_window(model::Forward& forward, std::span<const TokenId> window, std::size_t first, std::uint64_t id, Score& score) {
  std::vector<PageId> pages;
  for (int page = 0; page < forward.cache().pages(); ++page) pages.push_back({static_cast<std::uint32_t>(page)});
  const std::size_t vocab = static_cast<std::size_t>(forward.model().sizes().vocab);
  std::size_t at = 0;
  while (at + 1 < window.size()) {
    const std::size_t end = std::min({at + rows_a_step, at < first ? first : window.size() - 1});
    sched::Step step;
    step.sequences.push_back({{id},
                              static_cast<int>(at),
                              {window.begin() + static_cast<std::ptrdiff_t>(at), window.begin() + static_cast<std::ptrdiff_t>(end)},
                              pages,
                              false});
    QN_TRY(const std::span<const float> logits, forward.run(step, at < first ? model::LogitsOf::wanted : model::LogitsOf::all));
    for (std::size_t row = at; at >= first && row < end; ++row)
      score.add(surprise(logits.subspan((row - at) * vocab, vocab), window[row + 1]));
    at = end;
  }
  return {};
}

int run_perplexity(std::span<const std::string> args, Io& io) {
  std::string model_name, text_file, context = "512", kv_type;
  std::vector<std::string> names;
  std::int64_t chunks = -1;
  DeviceChoice devices;
  bool verbose = false;
  CLI::App app;
  app.add_option("model", names);
  app.add_option("-m,--model", model_name, "the model, in place of the first word")->type_name("FILE")->group("Options");
  app.add_option("-f,--file", text_file, "the text")->type_name("TEXT")->group("Options");
  app.add_option("-c,--ctx,--ctx-size", context, "tokens of a window (default: 512)")->type_name("N")->group("Options");
  app.add_option("--chunks", chunks, "windows to score; -1: all (default)")->type_name("N")->group("Options");
  declare_thread_flags(app, devices.threads, "Threads");
  app.add_option("--kv-type", kv_type, "format of the cache: f16 (default), f32, q8_0, …; K,V for two")
      ->type_name("K[,V]")
      ->group("Options");
  app.add_flag("--verbose", verbose, "print the estimate after each window, on stderr")->group("Options");
  const Help help{.command = "perplexity",
                  .summary = "Measures how well a model predicts a text: lower is better, and only figures of the same text compare.",
                  .usage = {"quern perplexity MODEL -f TEXT [flags]"},
                  .examples = {"quern perplexity model.gguf -f wiki.test.raw", "quern perplexity quern-mini -f text.txt -c 256"}};
  if (const auto ended = parse_arguments(app, help, args, io)) return *ended;
  if (!names.empty() && model_name.empty()) {
    model_name = names.front();
    names.erase(names.begin());
  }
  if (!names.empty()) return usage_error(io, "perplexity", fmt::format("{}: unexpected argument", qn::quoted(names.front())));
  if (model_name.empty() || text_file.empty())
    return usage_error(io, "perplexity", "a model and a text are needed: quern perplexity MODEL -f TEXT");

  const auto measure = [&]() -> Result<Score> {
    QN_TRY(const std::int64_t window_tokens, read_count("--ctx", context));
    if (window_tokens < 8) return fail(Code::bad_input, "--ctx: {} is too short; give at least 8", window_tokens);
    QN_TRY(const std::string text, read_small_file(text_file, longest_text_bytes));
    serve::LoadOptions options{.context_tokens = static_cast<int>(window_tokens)};
    if (!kv_type.empty()) QN_OK(read_cache_formats("--kv-type", kv_type, options));
    QN_TRY(const std::unique_ptr<ModelLoader> loader, ModelLoader::make(devices, io));
    QN_TRY(const std::unique_ptr<serve::LoadedModel> model, loader->load(model_name, options, ModelLoader::For::logits));

    const text::Tokenizer& tokenizer = *model->tokenizer;
    const bool bos = tokenizer.spec().add_bos && tokenizer.spec().bos >= 0;
    const std::vector<TokenId> tokens = tokenizer.encode(text, {text::Specials::as_text, bos});
    const std::size_t size = static_cast<std::size_t>(window_tokens);
    std::size_t windows = tokens.size() / size;
    if (windows == 0)
      return fail(Code::bad_input, "{}: {} tokens, a window takes {}; give a longer text or a smaller --ctx", text_file, tokens.size(),
                  size);
    if (chunks >= 0) windows = std::min(windows, static_cast<std::size_t>(chunks));
    if (windows == 0) return fail(Code::bad_input, "--chunks: 0 windows leave nothing to score; give at least 1");

    const model::ForwardOptions forward_options{.kv = model->kv,
                                                .pages = (static_cast<int>(size) + model->kv.page_tokens - 1) / model->kv.page_tokens,
                                                .max_rows = rows_a_step,
                                                .max_logits = rows_a_step};
    QN_TRY(const std::unique_ptr<model::Forward> forward, model::Forward::make(model->model, forward_options));
    Score score;
    for (std::size_t i = 0; i < windows; ++i) {
      std::vector<TokenId> window(tokens.begin() + static_cast<std::ptrdiff_t>(i * size),
                                  tokens.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
      if (bos) window.front() = tokenizer.spec().bos;
      QN_OK(score_window(*forward, window, size / 2, i + 1, score));
      if (verbose) fmt::print(io.err, "[{}/{}] {:.4f}\n", i + 1, windows, score.perplexity());
    }
    return score;
  };
  const Result<Score> score = measure();
  if (!score) return report(io, score.error());
  fmt::print(io.out, "Final estimate: PPL = {:.4f} +/- {:.5f}\n", score->perplexity(), score->uncertainty());
  return exit_ok;
}

}  // namespace

Command command_perplexity() {
  return {"perplexity", "measure how well a model predicts a text", Group::tools, run_perplexity};
}

}  // namespace qn::cli
