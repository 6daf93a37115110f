// What the engine costs beside the model: a token's way through commands, scheduler, sampler and sink; a step of the scheduler
// alone; the sampler on a vocabulary of Qwen's size.
#include <benchmark/benchmark.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/thread_pool.h"
#include "engine/engine.h"
#include "engine/sampler.h"
#include "sched/scheduler.h"

namespace {

using namespace qn;

// Always the same logits: a model that costs nothing.
class IdleRunner final : public engine::Runner {
 public:
  IdleRunner(int vocab, int sequences, int threads = 1)
      : threads_(threads),
        vocab_(vocab),
        sequences_(sequences),
        logits_(static_cast<std::size_t>(vocab) * static_cast<std::size_t>(sequences)) {
    logits_[1] = 1;
  }
  engine::RunnerInfo info() const override {
    return {.vocab = vocab_,
            .context_tokens = 1 << 20,
            .pages = 1 << 16,
            .page_tokens = 32,
            .max_batched_tokens = 512,
            .max_sequences = sequences_,
            .max_logits = sequences_};
  }
  Status forward(const sched::Step&) override { return {}; }
  Result<std::span<const float>> logits(std::span<const int>) override { return logits_; }
  Result<std::span<const float>> hidden(std::span<const int>) override { return std::span<const float>(); }

  int workers() const override { return threads_.size(); }
  void for_each(int count, const std::function<void(int worker, int index)>& body) override {
    threads_.for_parts(count, 1, [&](int worker, int begin, int end) {
      for (int index = begin; index < end; ++index) body(worker, index);
    });
  }

 private:
  ThreadPool threads_;
  int vocab_, sequences_;
  std::vector<float> logits_;
};

// Time for one token of one sequence, with so many sequences running; a vocabulary of 32 leaves the sampler next to nothing.
void engine_token(benchmark::State& state) {
  const auto sequences = static_cast<int>(state.range(0));
  constexpr int tokens = 2000;
  const SteadyClock clock;
  for (auto _ : state) {
    engine::Engine engine(std::make_unique<IdleRunner>(32, sequences), clock);
    std::atomic<int> left = sequences;
    std::promise<void> done;
    for (int i = 0; i < sequences; ++i) {
      engine::Generation generation{.prompt = {1, 2, 3}, .sampling = {.temperature = 0}, .max_tokens = tokens};
      generation.sink = [&](const engine::TokenEvent& event) {
        if (event.finish && --left == 0) done.set_value();
      };
      if (!engine.submit(std::move(generation))) state.SkipWithError("refused");
    }
    done.get_future().wait();
  }
  state.counters["token"] = benchmark::Counter(static_cast<double>(state.iterations()) * tokens * sequences,
                                               benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(engine_token)->Arg(1)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

// A step of 64 sequences whose rows are sampled as Qwen's models want it, on so many threads: the time that the engine gives to it.
void sampled_rows(benchmark::State& state) {
  constexpr int vocab = 151936, sequences = 64, tokens = 12;
  const SteadyClock clock;
  std::chrono::nanoseconds sampling{};
  std::uint64_t steps = 0;
  for (auto _ : state) {
    engine::Engine engine(std::make_unique<IdleRunner>(vocab, sequences, static_cast<int>(state.range(0))), clock);
    std::atomic<int> left = sequences;
    std::promise<void> done;
    for (int i = 0; i < sequences; ++i) {
      engine::Generation generation{
          .prompt = {1, 2, 3}, .sampling = {.temperature = 0.6f, .top_k = 20, .top_p = 0.95f, .min_p = 0}, .max_tokens = tokens};
      generation.sink = [&](const engine::TokenEvent& event) {
        if (event.finish && --left == 0) done.set_value();
      };
      if (!engine.submit(std::move(generation))) state.SkipWithError("refused");
    }
    done.get_future().wait();
    sampling += engine.stats().sampling;
    steps += engine.stats().steps;
  }
  state.counters["a step"] = std::chrono::duration<double>(sampling).count() / static_cast<double>(steps);
}
BENCHMARK(sampled_rows)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// plan() and commit() of one step in which every sequence decodes, each with a context of so many tokens.
void scheduler_step(benchmark::State& state) {
  const auto sequences = static_cast<int>(state.range(0)), context = static_cast<int>(state.range(1));
  const sched::Limits limits{
      .max_sequences = sequences, .max_batched_tokens = 8192, .context_tokens = 1 << 20, .pages = 1 << 17, .page_tokens = 32};
  sched::Scheduler scheduler(limits);
  for (int i = 0; i < sequences; ++i) {
    std::vector<TokenId> prompt(static_cast<std::size_t>(context), i);
    if (scheduler.add({SequenceId{static_cast<std::uint64_t>(i)}, std::move(prompt)})) state.SkipWithError("refused");
  }
  static constexpr TokenId one[] = {1};
  std::vector<sched::Outcome> outcomes;
  const auto step = [&] {
    const sched::Step planned = scheduler.plan();
    outcomes.clear();
    for (const sched::StepSequence& s : planned.sequences) {
      if (s.reads > 0) outcomes.push_back({s.id, one, sched::Next::go_on});
    }
    scheduler.commit(outcomes);
    return outcomes.size();
  };
  while (step() < static_cast<std::size_t>(sequences)) continue;
  for (auto _ : state) benchmark::DoNotOptimize(step());
}
BENCHMARK(scheduler_step)
    ->Args({1, 1000})
    ->Args({64, 1000})
    ->Args({256, 1000})
    ->Args({256, 8000})
    ->Iterations(2000)
    ->Unit(benchmark::kMicrosecond);

struct Choice {
  const char* name;
  engine::SamplingParameters parameters;
  std::optional<int> top_logprobs = {};
};

// 151,936 logits with a few likely tokens over a bell of the rest.
void sampler(benchmark::State& state, const Choice& choice) {
  constexpr int vocab = 151936;
  std::vector<float> logits;
  for (std::uint64_t i = 0; i < vocab; ++i) {
    float sum = 0;
    for (std::uint32_t j = 0; j < 6; ++j) sum += uniform(1, i, j);
    logits.push_back((sum - 3) * 3);
  }
  for (int i = 0; i < 20; ++i) logits[static_cast<std::size_t>(7919 * i + 11)] = 20 - 0.5f * static_cast<float>(i);
  std::vector<TokenId> context;
  for (int i = 0; i < 2000; ++i) context.push_back(i * 7919 % vocab);
  engine::Sampler sampler(vocab);
  engine::SamplingParameters parameters = choice.parameters;
  for (auto _ : state) {
    ++parameters.seed;
    benchmark::DoNotOptimize(
        sampler.sample(parameters, {.logits = logits, .context = context, .banned = {}, .top_logprobs = choice.top_logprobs}));
  }
}

const Choice choices[] = {
    {"greedy", {.temperature = 0}},
    {"greedy, repetition", {.temperature = 0, .repetition_penalty = 1.1f}},
    {"greedy, 20 logprobs", {.temperature = 0}, 20},
    {"qwen: top_k 20, top_p 0.95", {.temperature = 0.6f, .top_k = 20, .top_p = 0.95f, .min_p = 0}},
    {"defaults", {}},
    {"top_p 0.95 alone", {.temperature = 1, .top_k = 0, .top_p = 0.95f, .min_p = 0}},
    {"nothing but temperature", {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0}},
    {"everything",
     {.temperature = 0.6f,
      .top_k = 40,
      .typical_p = 0.95f,
      .top_n_sigma = 3,
      .repetition_penalty = 1.1f,
      .penalty_last_n = -1,
      .dry_multiplier = 0.8f,
      .dry_last_n = -1,
      .xtc_probability = 0.5f}},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Choice& choice : choices) {
    benchmark::RegisterBenchmark((std::string("sampler/") + choice.name).c_str(), [&](benchmark::State& s) {
      sampler(s, choice);
    })->Unit(benchmark::kMicrosecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
