// quern bench: how fast a model runs here, and how far that is from what this machine can do. Flags are those of llama-bench where it has
// them.
#include <charconv>

#include "cli/arguments.h"
#include "cli/bench/run_bench.h"
#include "cli/bench/serve/serve_bench.h"
#include "cli/bench/shapes.h"
#include "cli/command.h"
#include "cli/model_loader.h"

namespace qn::cli {
namespace {

constexpr int most_tokens = 1 << 20, most_sequences = 256, most_threads = 4096, most_repetitions = 1000;

// "512" or "128,512"; at least one number.
Result<std::vector<int>> read_list(std::string_view flag, std::string_view text, int low, int high) {
  std::vector<int> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    int value = 0;
    const char* const end = text.data() + comma;
    const auto [stop, error] = std::from_chars(text.data() + begin, end, value);
    if (error != std::errc() || stop != end || value < low || value > high)
      return fail(Code::bad_input, "{}: expected numbers from {} to {} with commas between, got {}", flag, low, high, quoted(text));
    values.push_back(value);
    begin = comma + 1;
  }
  return values;
}

// What the flags are read into, as typed.
struct Typed {
  std::string prompts = "512", decodes = "128", depths = "0", sequences = "1", threads, repetitions = "5", batch = "2048", rows = "512",
              layers;
  std::string stream, keys = "f16", values = "f16", output = "table";
  bool no_warm_up = false;
};

Result<BenchOptions> read_options(const Typed& typed, BenchOptions options) {
  QN_TRY(options.prompts, read_list("--n-prompt", typed.prompts, 0, most_tokens));
  QN_TRY(options.decodes, read_list("--n-gen", typed.decodes, 0, most_tokens));
  QN_TRY(options.depths, read_list("--n-depth", typed.depths, 0, most_tokens));
  QN_TRY(options.sequences, read_list("--sequences", typed.sequences, 1, most_sequences));
  if (!typed.threads.empty()) {
    QN_TRY(options.threads, read_list("--threads", typed.threads, 1, most_threads));
  }
  QN_TRY(const std::vector<int> repetitions, read_list("--repetitions", typed.repetitions, 1, most_repetitions));
  QN_TRY(const std::vector<int> batch, read_list("--batch-size", typed.batch, 1, most_tokens));
  QN_TRY(const std::vector<int> rows, read_list("--ubatch-size", typed.rows, 1, most_tokens));
  if (!typed.layers.empty()) {
    QN_TRY(const std::vector<int> layers, read_list("--layers", typed.layers, 1, 1024));
    options.layers = layers.back();
  }
  if (!typed.stream.empty()) {
    QN_TRY(const std::int64_t bytes, read_count("--stream", typed.stream));
    options.stream_bytes = static_cast<std::size_t>(bytes);
  }
  QN_TRY(options.output, read_output(typed.output));
  QN_TRY(options.measure.kv.keys, read_cache_format("--cache-type-k", typed.keys));
  QN_TRY(options.measure.kv.values, read_cache_format("--cache-type-v", typed.values));
  options.measure.rows_a_step = std::min(batch.back(), rows.back());
  options.measure.repetitions = repetitions.back();
  options.measure.warm_up = !typed.no_warm_up;
  return options;
}

// llama-bench's short flags of several letters, which CLI11 would take for single ones.
std::vector<std::string> with_long_names(std::span<const std::string> args) {
  struct Name {
    std::string_view given, meant;
  };
  static constexpr Name names[] = {{"-ctk", "--cache-type-k"}, {"-ctv", "--cache-type-v"}, {"-ub", "--ubatch-size"}};
  std::vector<std::string> result(args.begin(), args.end());
  for (std::string& arg : result)
    for (const Name& name : names)
      if (arg == name.given) arg = name.meant;
  return result;
}

std::string shape_names() {
  std::string names;
  for (const Shape& shape : shapes())
    if (shape.layers > 2) names += (names.empty() ? "" : ", ") + std::string(shape.name);
  return names;
}

int run_bench_command(std::span<const std::string> args, Io& io) {
  if (!args.empty() && args[0] == "serve") return run_serve_bench(args.subspan(1), io);
  std::vector<std::string> words;
  BenchOptions options;
  Typed typed;
  CLI::App app;
  app.add_option("model", words);
  const auto option = [&](const char* group, const char* names, auto& value, const char* type, const std::string& text) {
    app.add_option(names, value, text)->type_name(type)->group(group);
  };
  option("Model", "-m,--model", options.model, "FILE", "the model, in place of the first word");
  option("Model", "--shape", options.shape, "NAME", "random weights of a published shape, with its vocabulary size: " + shape_names());
  option("Model", "--quant", options.quant, "TYPE",
         "types of the random weights, as of quern quantize: Q4_K_M (default), Q8_0, IQ4_XS, BF16, …");
  option("Model", "--layers", typed.layers, "N", "cut the shape to so many layers");
  option("Model", "--keep", options.keep, "FILE", "keep the file of random weights; with -p 0 -n 0 only write it");
  option("Model", "--tokenizer", options.tokenizer, "FILE", "put the vocabulary of this tokenizer.json into that file");
  option("Tests", "-p,--n-prompt", typed.prompts, "N,…", "read prompts of so many tokens (default: 512; 0: none)");
  option("Tests", "-n,--n-gen", typed.decodes, "N,…", "write so many tokens (default: 128; 0: none)");
  option("Tests", "-d,--n-depth,--depth", typed.depths, "N,…", "after so many tokens that are there already (default: 0)");
  option("Tests", "--sequences", typed.sequences, "N,…", "sequences that decode together (default: 1)");
  option("Tests", "-r,--repetitions", typed.repetitions, "N", "times that each test is run (default: 5)");
  app.add_flag("--no-warmup", typed.no_warm_up, "count the first run too")->group("Tests");
  app.add_flag("--limits", options.only_limits, "measure only what this machine can do at most")->group("Tests");
  declare_thread_flags(app, options.choice, "Threads");
  app.remove_option(app.get_option("--threads"));  // here it takes several numbers
  option("Threads", "-t,--threads", typed.threads, "N,…", "threads to compute with (default: one for each fast core)");
  option("Machine", "--isa", options.isa, "NAME", "instruction set: scalar, avx2, avxvnni or avx512 (default: the best there is)");
  option("Machine", "--stream", typed.stream, "SIZE",
         "bytes that a measurement of the memory reads (default: 1G, less where memory is short)");
  option("Machine", "-b,--batch-size", typed.batch, "N", "rows of a step, at most; the smaller of the two counts (default: 2048)");
  option("Machine", "--ubatch-size", typed.rows, "N", "also -ub: the same (default: 512)");
  option("Machine", "--cache-type-k", typed.keys, "TYPE", "also -ctk: keys kept as f16 (default), f32, bf16, q8_0, …");
  option("Machine", "--cache-type-v", typed.values, "TYPE", "also -ctv: values kept as");
  option("Output", "-o,--output", typed.output, "FORM", "table (default), md, json, jsonl or csv");
  app.add_flag("--progress", options.progress, "say what is going on on stderr, also where that is no terminal")->group("Output");
  app.add_flag("--turns", options.turns, "for bench/peers: wait for a line on stdin before each repetition, report in lines of JSON")
      ->group("Output");
  const Help help{.command = "bench",
                  .summary = "Measures how fast a model reads and writes here, beside what this machine can do at most.",
                  .usage = {"quern bench MODEL [flags]", "quern bench --shape NAME [--quant TYPE] [flags]", "quern bench --limits",
                            "quern bench serve [URL] [flags]      drives a server that runs; see quern bench serve --help"},
                  .examples = {"quern bench model.gguf", "quern bench model.gguf -p 0 -n 64 --sequences 1,4,8,20",
                               "quern bench --shape qwen2.5-7b --quant Q4_K_M -d 0,4096 -ctk q8_0 -ctv q8_0",
                               "quern bench model.gguf -o json | jq '.[] | {test, median_ts, percent_of_limit}'"},
                  .more = "docs/bench.md says what the columns mean and what is counted."};
  if (const auto ended = parse_arguments(app, help, with_long_names(args), io)) return *ended;
  if (!words.empty() && options.model.empty()) {
    options.model = words.front();
    words.erase(words.begin());
  }
  if (!words.empty()) return usage_error(io, "bench", fmt::format("{}: unexpected argument", quoted(words.front())));
  const int sources = (options.model.empty() ? 0 : 1) + (options.shape.empty() ? 0 : 1);
  if (!options.only_limits && sources != 1)
    return usage_error(io, "bench",
                       sources == 0 ? "a model or a shape is needed: quern bench MODEL, or quern bench --shape NAME"
                                    : "--shape makes a model of its own; leave out one of the two");
  if (options.shape.empty())
    for (const auto& [given, flag] : {std::pair(!options.keep.empty(), "--keep"), std::pair(!options.tokenizer.empty(), "--tokenizer"),
                                      std::pair(!typed.layers.empty(), "--layers")})
      if (given) return usage_error(io, "bench", fmt::format("{}: it is for random weights; give --shape NAME too", flag));
  const Result<BenchOptions> read = read_options(typed, std::move(options));
  if (!read) return report(io, read.error());
  if (const Status done = run_bench(*read, io); !done) return report(io, done.error());
  return exit_ok;
}

}  // namespace

Command command_bench() {
  return {"bench", "how fast a model runs here, and how far that is from the limit", Group::tools, run_bench_command};
}

}  // namespace qn::cli
