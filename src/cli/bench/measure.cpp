#include "cli/bench/measure.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/random.h"
#include "engine/engine.h"
#include "engine/model_runner.h"

namespace qn::cli {
namespace {

constexpr auto look_around = std::chrono::milliseconds(100);  // how often a wait asks whether to go on
constexpr int warm_up_tokens = 8;                             // of decoding

// What the sinks of one repetition note, on the engine's thread. Shared by them and whoever waits, who may give up.
struct Race {
  explicit Race(int sequences) : running(sequences), starting(sequences) {}

  std::mutex mutex;
  std::condition_variable changed;
  int running;   // generations without their last event
  int starting;  // generations without their first token
  std::chrono::nanoseconds all_started{}, ended{};
  int tokens_after_start = 0;  // of all, once each has had its first
  std::optional<Error> error;
  engine::TokenEvent last;  // of whoever was last

  void fail_one(const Error& why) {
    const std::lock_guard lock(mutex);
    if (!error) error = why;
    --running;
    changed.notify_all();
  }
};
using SharedRace = std::shared_ptr<Race>;

class TestEngine {
 public:
  static Result<std::unique_ptr<TestEngine>> make(const std::shared_ptr<const model::Model>& model, const Test& test,
                                                  const MeasureOptions& options) {
    const int page = options.kv.page_tokens;
    const int longest = test.depth + std::max(test.prompt_tokens, test.decode_tokens) + 2;
    // One step takes what the prefix cache leaves of every sequence's prompt, so that they decode in step from the first token on.
    const int rows = test.decode_tokens > 0 ? std::max(options.rows_a_step, test.sequences * page) : options.rows_a_step;
    const model::ForwardOptions forward_options{.kv = options.kv,
                                                .pages = test.sequences * ((longest + page - 1) / page + 1) + 1,
                                                .max_rows = rows,
                                                .max_logits = test.sequences + 1};
    QN_TRY(std::unique_ptr<model::Forward> forward, model::Forward::make(model, forward_options));
    return std::unique_ptr<TestEngine>(new TestEngine(std::move(forward), test, longest + 1));
  }

  // Reads `depth` tokens for every sequence; later prompts that begin with them find them in the prefix cache.
  Status prepare(const std::function<bool()>& go_on) {
    for (int sequence = 0; sequence < test_.sequences && test_.depth > 0; ++sequence) {
      const auto race = std::make_shared<Race>(1);
      QN_OK(submit(generation(sequence, test_.depth + 1, 0, 1, race)));
      QN_OK(wait(*race, go_on));
    }
    return {};
  }

  // Seconds that the prompt took, from the launch of its first step to its first token.
  Result<double> read_prompt(std::uint64_t repetition, const std::function<bool()>& go_on) {
    const auto race = std::make_shared<Race>(1);
    QN_OK(submit(generation(0, test_.depth + test_.prompt_tokens, repetition, 1, race)));
    QN_OK(wait(*race, go_on));
    QN_OK(check_cached(race->last));
    // The depth is cached in whole pages: what is left of it is computed too, and taken off in proportion.
    const double computed = race->last.counts.prompt_tokens - race->last.counts.cached_tokens;
    return std::chrono::duration<double>(race->last.timings.prompt).count() * test_.prompt_tokens / computed;
  }

  // Seconds from when every sequence has its first token to when all have `tokens` more.
  Result<double> decode(std::uint64_t repetition, int tokens, const std::function<bool()>& go_on) {
    const auto race = std::make_shared<Race>(test_.sequences), starter = std::make_shared<Race>(1);
    // Submitted from a sink, between two steps: so all of them are taken into the same step.
    engine::Generation first = generation(0, 1, repetition, 1, starter);
    first.salt = 0;
    first.sink = [this, race, repetition, tokens, tell = std::move(first.sink)](const engine::TokenEvent& event) {
      for (int sequence = 0; sequence < test_.sequences; ++sequence) {
        const Status taken = submit(generation(sequence, test_.depth + 1, repetition, tokens + 1, race));
        if (!taken) race->fail_one(taken.error());
      }
      tell(event);
    };
    QN_OK(submit(std::move(first)));
    QN_OK(wait(*starter, go_on));
    QN_OK(wait(*race, go_on));
    QN_OK(check_cached(race->last));
    if (race->tokens_after_start != tokens * test_.sequences)
      return fail(Code::internal, "engine: the sequences did not decode in step; this is a fault of quern, report it");
    return std::chrono::duration<double>(race->ended - race->all_started).count();
  }

 private:
  TestEngine(std::unique_ptr<model::Forward> forward, const Test& test, int context_tokens)
      : test_(test),
        vocab_(forward->model().sizes().vocab),
        page_tokens_(forward->cache().page_tokens()),
        engine_(std::make_unique<engine::ModelRunner>(std::move(forward), context_tokens), clock_) {}

  // Prompts of one sequence begin alike for `depth` tokens; past them they differ between repetitions. Sequences share nothing.
  engine::Generation generation(int sequence, int prompt_tokens, std::uint64_t repetition, int max_tokens, const SharedRace& race) {
    engine::Generation generation;
    for (int i = 0; i < prompt_tokens; ++i) {
      const std::uint64_t key = i < test_.depth ? 0 : repetition + 1;
      const std::uint32_t word = philox(key, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(sequence))[0];
      generation.prompt.push_back(static_cast<TokenId>(word % static_cast<std::uint32_t>(vocab_)));
    }
    generation.sampling.temperature = 0;
    generation.max_tokens = max_tokens;
    generation.salt = static_cast<std::uint64_t>(sequence) + 1;
    generation.sink = [this, race, max_tokens](const engine::TokenEvent& event) { note(*race, event, max_tokens); };
    return generation;
  }

  void note(Race& race, const engine::TokenEvent& event, int max_tokens) const {
    const std::lock_guard lock(race.mutex);
    const bool first = event.token >= 0 && event.counts.generated_tokens == 1;
    if (first && --race.starting == 0) race.all_started = clock_.now();
    if (!first && event.token >= 0 && race.starting == 0) ++race.tokens_after_start;
    if (!event.finish) return;
    if (event.error && !race.error) race.error = event.error;
    if (!event.error && event.counts.generated_tokens != max_tokens && !race.error)
      race.error = Error{Code::internal, "engine: a reply ended early; this is a fault of quern, report it"};
    race.last = event;
    if (--race.running == 0) race.ended = clock_.now();
    race.changed.notify_all();
  }

  Status submit(engine::Generation generation) {
    const Result<SequenceId> id = engine_.submit(std::move(generation));
    if (!id) return tl::unexpected(id.error());
    return {};
  }

  // After an early return the engine's end cancels what runs.
  Status wait(Race& race, const std::function<bool()>& go_on) const {
    std::unique_lock lock(race.mutex);
    while (race.running > 0) {
      race.changed.wait_for(lock, look_around);
      if (!go_on()) return fail(Code::cancelled, "bench: stopped");
    }
    if (race.error) return tl::unexpected(*race.error);
    return {};
  }

  Status check_cached(const engine::TokenEvent& event) const {
    if (event.counts.cached_tokens >= test_.depth / page_tokens_ * page_tokens_) return {};
    return fail(Code::internal, "engine: {} of {} tokens were found in the prefix cache; this is a fault of quern, report it",
                event.counts.cached_tokens, test_.depth);
  }

  Test test_;
  int vocab_, page_tokens_;
  SteadyClock clock_;
  engine::Engine engine_;
};

Limits median_of(const std::vector<Limits>& samples) {
  const auto of = [&](const auto& field) {
    std::vector<double> values;
    for (const Limits& sample : samples) values.push_back(field(sample));
    return median(std::move(values));
  };
  Limits limits;
  limits.read_bytes_per_s = of([](const Limits& sample) { return sample.read_bytes_per_s; });
  for (std::size_t kind = 0; kind < arithmetics; ++kind)
    if (samples.front().operations_per_s[kind])
      limits.operations_per_s[kind] = of([&](const Limits& sample) { return *sample.operations_per_s[kind]; });
  return limits;
}

}  // namespace

std::string name(const Test& test) {
  std::string text = test.prompt_tokens > 0 ? fmt::format("pp{}", test.prompt_tokens) : fmt::format("tg{}", test.decode_tokens);
  if (test.sequences > 1) text += fmt::format(" x {}", test.sequences);
  if (test.depth > 0) text += fmt::format(" @ d{}", test.depth);
  return text;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Measured::median_seconds() const {
  return median(seconds);
}

Limits take_limits(LimitMeter& meter) {
  Limits limits{.read_bytes_per_s = meter.read_bytes_per_s()};
  for (const Arithmetic kind : every_arithmetic) limits.operations_per_s[static_cast<std::size_t>(kind)] = meter.operations_per_s(kind);
  return limits;
}

Result<Measured> measure(const std::shared_ptr<const model::Model>& model, const ModelWork& work, const Test& test,
                         const MeasureOptions& options, LimitMeter& meter, const Watch& watch) {
  const bool prompt = test.prompt_tokens > 0;
  Measured measured{.test = test};
  // After its prompt of depth + 1 tokens a sequence's first timed token sees that many keys and itself.
  measured.work = prompt ? prompt_work(work, test.depth, test.prompt_tokens, options.rows_a_step)
                         : decode_work(work, test.depth + 1, test.decode_tokens, test.sequences);
  meter.use(prompt ? options.prompt_threads : options.threads);
  std::string what;
  const auto go_on = [&] { return watch.step(what); };
  const auto say = [&](std::string now) {
    what = fmt::format("{}: {}", name(test), now);
    return watch.step(what);
  };
  QN_TRY(const std::unique_ptr<TestEngine> engine, TestEngine::make(model, test, options));
  if (test.depth > 0) say(fmt::format("reading {} tokens to stand at this depth", test.depth));
  QN_OK(engine->prepare(go_on));
  const auto once = [&](std::uint64_t repetition, int tokens) {
    return prompt ? engine->read_prompt(repetition, go_on) : engine->decode(repetition, tokens, go_on);
  };
  if (options.warm_up) {
    say("warming up");
    QN_OK(once(0, std::min(test.decode_tokens, warm_up_tokens)));
  }
  std::vector<Limits> limits;
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    if (!watch.turn()) return fail(Code::cancelled, "bench: stopped");
    say(fmt::format("repetition {} of {}", repetition + 1, options.repetitions));
    limits.push_back(take_limits(meter));
    QN_TRY(const double seconds, once(static_cast<std::uint64_t>(repetition) + 1, test.decode_tokens));
    measured.seconds.push_back(seconds);
    watch.after(seconds, limits.back());
  }
  limits.push_back(take_limits(meter));
  measured.limits = median_of(limits);
  return measured;
}

}  // namespace qn::cli
