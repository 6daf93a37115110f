#include "cli/bench/run_bench.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "backend/cpu/cpu_backend.h"
#include "backend/host_memory.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/bench/random_model.h"
#include "cli/builtin_model.h"
#include "cli/state_files.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"
#include "model/forward.h"
#include "model/plan.h"
#include "text/tokenizer/tokenizer_json.h"

namespace qn::cli {
namespace {

constexpr std::size_t longest_tokenizer_bytes = std::size_t{64} << 20;

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

std::string now_as_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  char text[32] = "";
  ::gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// One line on a terminal that is written over; lines of their own elsewhere, where they were asked for.
class StatusLine {
 public:
  StatusLine(Io& io, bool wanted) : io_(io), live_(io.err_tty && io.err_colour && !io.quiet), lines_(wanted && !live_) {}
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // False when the user wants to stop.
  bool say(std::string_view what) {
    if (what != shown_) {
      shown_ = what;
      if (live_) fmt::print(io_.err, "\r\033[K{}", what);
      if (lines_) fmt::print(io_.err, "quern: {}\n", what);
      std::fflush(io_.err);
    }
    return !Interrupt::pending();
  }
  void clear() {
    if (live_ && !shown_.empty()) fmt::print(io_.err, "\r\033[K");
    shown_.clear();
    std::fflush(io_.err);
  }

 private:
  Io& io_;
  bool live_, lines_;
  std::string shown_;
};

// How another program and this one measure in turn (bench/peers). Lines of JSON on `out`:  {"ready": test}  once all is prepared,
// {"tokens_per_s": …, "read_gb_per_s": …}  after each repetition, which a line on `in` starts; then the row that a report has.
class Turns {
 public:
  Turns(Io& io, const Test& test) : io_(io), test_(test) {}

  bool wait() {
    if (!std::exchange(ready_, true)) say({{"ready", name(test_)}});
    for (int c = 0; c != '\n';)
      if (c = std::fgetc(io_.in); c == EOF) return false;
    return true;
  }
  void tell(int tokens, double seconds, const Limits& limits) {
    say({{"tokens_per_s", tokens / seconds}, {"read_gb_per_s", limits.read_bytes_per_s / 1e9}});
  }

 private:
  void say(const json::Object& object) {
    fmt::print(io_.out, "{}\n", json::print(object));
    std::fflush(io_.out);
  }

  Io& io_;
  const Test& test_;
  bool ready_ = false;
};

// A model file, and what people call it.
struct Source {
  file::Checkpoint checkpoint;
  std::string name, type;
};

// As the file says it was mixed, or the format that holds most weights.
std::string main_type(const file::Checkpoint& checkpoint) {
  if (const auto type = checkpoint.metadata.integer("general.file_type"); type && *type)
    for (const file::Mix& mix : file::mixes())
      if (mix.file_type == **type && !mix.base.empty()) return std::string(mix.name);
  std::map<std::string_view, std::uint64_t> bytes;
  for (const file::TensorEntry& tensor : checkpoint.tensors)
    if (tensor.name != "token_embd.weight") bytes[tensor.format->name] += tensor.bytes.size();
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "empty" : std::string(most->first);
}

std::vector<Test> tests_of(const BenchOptions& options) {
  std::vector<Test> tests;
  for (const int depth : options.depths) {
    for (const int prompt : options.prompts)
      if (prompt > 0) tests.push_back({.prompt_tokens = prompt, .depth = depth});
    for (const int sequences : options.sequences)
      for (const int decode : options.decodes)
        if (decode > 0) tests.push_back({.decode_tokens = decode, .depth = depth, .sequences = sequences});
  }
  return tests;
}

int largest(const std::vector<int>& values) {
  return *std::max_element(values.begin(), values.end());
}

// Before anything is written or loaded: whether the model and the largest test would fit.
Status check_memory(std::uint64_t weight_bytes, const model::Sizes& sizes, const BenchOptions& options) {
  QN_TRY(const std::uint64_t kv_bytes_per_token, model::kv_bytes_per_token(sizes, options.measure.kv));
  const auto longest = static_cast<std::uint64_t>(largest(options.depths) + std::max(largest(options.prompts), largest(options.decodes)));
  const std::uint64_t kv_bytes = kv_bytes_per_token * longest * static_cast<std::uint64_t>(largest(options.sequences));
  const std::uint64_t available_bytes = host_info("").available_bytes;
  if (weight_bytes + kv_bytes <= available_bytes) return {};
  return fail(Code::out_of_memory,
              "memory: {:.2f} GiB needed (weights {:.2f}, KV cache {:.2f}), {:.2f} GiB available; give a smaller --quant, fewer --layers, "
              "or less --depth and --sequences",
              gib(weight_bytes + kv_bytes), gib(weight_bytes), gib(kv_bytes), gib(available_bytes));
}

Result<Source> make_random(const BenchOptions& options, Io& io) {
  QN_TRY(Shape shape, find_shape(options.shape));
  if (options.layers) shape.layers = *options.layers;
  QN_TRY(const Types types, find_types(options.quant));
  std::optional<text::VocabSpec> vocab;
  if (!options.tokenizer.empty()) {
    QN_TRY(const std::string text, read_small_file(options.tokenizer, longest_tokenizer_bytes));
    QN_TRY(vocab, text::read_tokenizer_json(text, ""));
    if (vocab->tokens.size() > static_cast<std::size_t>(shape.vocab))
      return fail(Code::bad_input, "--tokenizer: {} tokens, {} has {}; give the tokenizer of the model", vocab->tokens.size(), shape.name,
                  shape.vocab);
  }
  const RandomModel model = plan_random_model(shape, types, vocab ? &*vocab : nullptr);
  if (!tests_of(options).empty()) QN_OK(check_memory(model.bytes, sizes_of(shape), options));
  std::optional<ScratchFolder> scratch;
  std::filesystem::path target = options.keep;
  if (options.keep.empty()) {
    QN_TRY(ScratchFolder made, ScratchFolder::make());
    target = made.path() / fmt::format("{}.gguf", shape.name);
    scratch.emplace(std::move(made));
  }
  {
    const SteadyClock clock;
    Progress progress(io, "writing random weights", Measure::bytes, clock);
    QN_OK(write_random_model(model, target, [&](std::uint64_t bytes) {
      progress.show(bytes, model.bytes);
      return !Interrupt::pending();
    }));
  }
  // A file that nobody is to keep goes now: its map stays until the end, and nothing is left if the program is killed.
  QN_TRY(file::Checkpoint checkpoint, file::open_gguf(target));
  std::string name(shape.name);
  if (options.layers) name += fmt::format(" cut to {} layers", *options.layers);
  return Source{std::move(checkpoint), std::move(name), std::string(types.name())};
}

Result<Source> open_source(const BenchOptions& options, Io& io) {
  if (!options.shape.empty()) return make_random(options, io);
  const bool inside = options.model == builtin_model_name;
  if (inside && builtin_model().empty())
    return fail(Code::not_found, "{}: this program was built without the model inside; give the path of a GGUF file", options.model);
  QN_TRY(file::Checkpoint checkpoint,
         inside ? file::open_gguf(builtin_model(), options.model) : file::open_gguf(std::filesystem::path(options.model)));
  std::string type = main_type(checkpoint);
  return Source{std::move(checkpoint), std::filesystem::path(options.model).filename().native(), std::move(type)};
}

Result<Isa> choose_isa(std::string_view wanted) {
  if (wanted.empty()) return best_isa();
  for (const Isa isa : usable_isas())
    if (name(isa) == wanted) return isa;
  for (const Isa isa : {Isa::avx2, Isa::avxvnni, Isa::avx512})
    if (name(isa) == wanted)
      return fail(Code::unsupported, "--isa {}: this machine lacks it and has {} at most; leave it out", wanted, name(best_isa()));
  return fail(Code::bad_input, "--isa: {} is no instruction set; give scalar, avx2, avxvnni or avx512", quoted(wanted));
}

// Everything with one number of threads.
Status run_with(const BenchOptions& options, const ThreadPlan& plan, Isa isa, StatusLine& status, Reporter& reporter, Io& io) {
  RunFacts facts{.machine = this_machine(), .isa = std::string(name(isa)), .date = now_as_text(), .options = options.measure};
  facts.options.threads = plan.threads;
  facts.options.prompt_threads = plan.prompt_threads;
  const PoolOptions pool{
      .threads = std::max(plan.threads, plan.prompt_threads), .places = plan.places, .priority = plan.priority, .spin = plan.spin};
  std::optional<Source> source;  // first: what is wrong with it should be said at once
  if (!options.only_limits) {
    QN_TRY(source, open_source(options, io));
  }
  QN_TRY(const std::unique_ptr<LimitMeter> meter, LimitMeter::make(isa, pool, options.stream_bytes));
  for (const Arithmetic kind : every_arithmetic) facts.instructions[static_cast<std::size_t>(kind)] = meter->instruction(kind);
  if (options.only_limits) {
    status.say("measuring the limits of this machine");
    const Limits limits = take_limits(*meter);
    status.clear();
    reporter.head(facts);
    fmt::print(io.out, "{}", limits_text(facts, limits, options.output));
    return {};
  }
  status.say("loading");
  const std::unique_ptr<Backend> backend =
      make_cpu_backend({.threads = plan.threads, .isa = isa, .prompt_threads = plan.prompt_threads, .pool = pool});
  const auto began = std::chrono::steady_clock::now();
  const auto checkpoint = std::make_shared<const file::Checkpoint>(std::move(source->checkpoint));
  QN_TRY(const model::Description description, model::describe(*checkpoint));
  QN_OK(check_memory(checkpoint->file_bytes, description.sizes, options));
  QN_TRY(const std::uint64_t kv_bytes, model::kv_bytes_per_token(description.sizes, options.measure.kv));
  QN_TRY(const std::shared_ptr<const model::Model> model,
         model::Model::load(checkpoint, model::place_on(*backend, description.sizes.layers)));
  const ModelWork work = model_work(*checkpoint, description.sizes, kv_bytes);
  facts.model = {.file = source->name,
                 .type = source->type,
                 .bytes = checkpoint->file_bytes,
                 .parameters = work.parameters,
                 .load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()};
  status.clear();
  reporter.head(facts);
  for (const Test& test : tests_of(options)) {
    Turns turns(io, test);
    Watch watch{.step = [&](std::string_view what) { return status.say(what); }};
    if (options.turns) {
      watch.turn = [&] { return turns.wait(); };
      watch.after = [&](double seconds, const Limits& limits) {
        turns.tell(test.prompt_tokens + test.decode_tokens * test.sequences, seconds, limits);
      };
    }
    QN_TRY(const Measured measured, measure(model, work, test, facts.options, *meter, watch));
    status.clear();
    reporter.row(facts, measured);
  }
  return {};
}

}  // namespace

Status run_bench(BenchOptions options, Io& io) {
  const Interrupt interrupt;
  StatusLine status(io, options.progress);
  QN_TRY(const Isa isa, choose_isa(options.isa));
  std::vector<ThreadPlan> plans;
  for (const int threads : options.threads) {
    options.choice.threads = threads;
    QN_TRY(ThreadPlan plan, plan_threads(options.choice, this_topology(), io));
    plans.push_back(std::move(plan));
  }
  const bool only_file = tests_of(options).empty() && !options.keep.empty() && !options.only_limits;
  if (only_file) {
    QN_TRY(const Source source, open_source(options, io));
    status.clear();
    fmt::print(io.out, "{}: {}, {}, {:.2f} GB\n", options.keep, source.name, source.type,
               static_cast<double>(source.checkpoint.file_bytes) / 1e9);
    return {};
  }
  Reporter reporter(options.turns ? Output::json_lines : options.output, io.out);
  Status done;
  for (std::size_t i = 0; done && i < plans.size(); ++i) done = run_with(options, plans[i], isa, status, reporter, io);
  if (!options.only_limits) reporter.end();  // what was measured before a failure stays readable
  return done;
}

}  // namespace qn::cli
