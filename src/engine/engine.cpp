#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace qn::engine {
namespace {

sched::Limits limits_of(const RunnerInfo& info) {
  return {.max_sequences = info.max_sequences,
          .max_batched_tokens = info.max_batched_tokens,
          .context_tokens = info.context_tokens,
          .pages = info.pages,
          .page_tokens = info.page_tokens};
}

bool holds(const std::vector<TokenId>& tokens, TokenId token) {
  return std::ranges::find(tokens, token) != tokens.end();
}

}  // namespace

Engine::Engine(std::unique_ptr<Runner> runner, const Clock& clock)
    : runner_(std::move(runner)),
      clock_(clock),
      info_(runner_->info()),
      scheduler_(limits_of(info_)),
      sampler_(info_.vocab),
      longest_(scheduler_.longest()) {
  stats_.now = count_.now = scheduler_.counts();
  thread_ = std::thread([this] { loop(); });
}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    commands_.stop = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<SequenceId> Engine::submit(Generation generation) {
  QN_OK(check(generation));
  SequenceId id;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(Code::cancelled, "engine: it is shutting down; try again when the model is loaded");
    id = SequenceId{++last_id_};
    commands_.submits.push_back({id, std::move(generation), clock_.now()});
  }
  wake_.notify_one();
  return id;
}

void Engine::cancel(SequenceId id) {
  {
    const std::lock_guard lock(mutex_);
    commands_.cancels.push_back(id);
  }
  wake_.notify_one();
}

Stats Engine::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

Status Engine::check(const Generation& generation) const {
  QN_CHECK(generation.sink != nullptr, "a generation has a sink");
  QN_OK(engine::check(generation.sampling, info_.vocab));
  if (generation.prompt.empty()) return fail(Code::bad_input, "prompt: it has no tokens; give at least one");
  if (generation.prompt.size() >= static_cast<std::size_t>(longest_)) {
    return fail(Code::too_large, "prompt: {} tokens, at most {} leave room for a reply; shorten it or raise the context length",
                generation.prompt.size(), longest_ - 1);
  }
  for (const std::vector<TokenId>* tokens : {&generation.prompt, &generation.stop_tokens}) {
    for (const TokenId token : *tokens) {
      if (token >= 0 && token < info_.vocab) continue;
      return fail(Code::bad_input, "{}: token {} is not in the vocabulary; ids go from 0 to {}",
                  tokens == &generation.prompt ? "prompt" : "stop_token_ids", token, info_.vocab - 1);
    }
  }
  const char* missing = generation.constraint        ? "constraint"
                        : generation.prompt_logprobs ? "prompt_logprobs"
                        : generation.pooling         ? "pooling"
                        : generation.scored.empty()  ? nullptr
                                                     : "scored";
  if (missing != nullptr) return fail(Code::unsupported, "{}: this version of the engine does not do it yet; leave it out", missing);
  if (generation.max_tokens && *generation.max_tokens < 1) {
    return fail(Code::bad_input, "max_tokens: {} is out of range; give at least 1", *generation.max_tokens);
  }
  if (generation.min_tokens < 0) {
    return fail(Code::bad_input, "min_tokens: {} is out of range; give at least 0", generation.min_tokens);
  }
  if (generation.top_logprobs && (*generation.top_logprobs < 0 || *generation.top_logprobs > info_.vocab)) {
    return fail(Code::bad_input, "top_logprobs: {} is out of range; give a number from 0 to {}", *generation.top_logprobs, info_.vocab);
  }
  return {};
}

void Engine::loop() {
  while (true) {
    take_commands(Wait::while_idle);
    if (stopping_) {
      for (const auto& [id, active] : active_) end(SequenceId{id}, Finish::cancelled);
    }
    tell_events();
    if (stopping_) return;
    run_step();
    tell_events();
  }
}

void Engine::take_commands(Wait wait) {
  Commands taken;
  {
    std::unique_lock lock(mutex_);
    if (wait == Wait::while_idle && scheduler_.idle() && !stopping_) wake_.wait(lock, [&] { return !commands_.empty(); });
    std::swap(taken, commands_);
  }
  for (Submit& submit : taken.submits) {
    const auto refused = scheduler_.add({.id = submit.id,
                                         .prompt = std::exchange(submit.generation.prompt, {}),
                                         .salt = submit.generation.salt,
                                         .priority = submit.generation.priority});
    QN_CHECK(!refused, "submit() lets in only what fits");
    Active& active = active_[submit.id.value];
    active.generation = std::move(submit.generation);
    active.counts.prompt_tokens = static_cast<int>(scheduler_.tokens(submit.id).size());
    active.submitted = submit.at;
  }
  for (const SequenceId id : taken.cancels) end(id, Finish::cancelled);
  stopping_ |= taken.stop;
}

void Engine::run_step() {
  const auto begun = clock_.now();
  const sched::Step step = scheduler_.plan();
  if (step.sequences.empty()) return;
  note_starts(step);
  const auto launched = clock_.now();
  const Result<std::span<const float>> logits = runner_->forward(step);
  const auto computed = clock_.now();
  take_commands(Wait::never);  // whoever was cancelled meanwhile gets no more tokens

  outcomes_.clear();
  if (logits) {
    sample(step, *logits);
  } else {
    for (const sched::StepSequence& s : step.sequences) end(s.id, Finish::error, logits.error());
  }
  const auto sampled = clock_.now();
  scheduler_.commit(outcomes_);

  count_.steps += 1;
  count_.rows += static_cast<std::uint64_t>(step.rows());
  count_.forward += computed - launched;
  count_.sampling += sampled - computed;
  count_.scheduling += (launched - begun) + (clock_.now() - sampled);
}

void Engine::note_starts(const sched::Step& step) {
  for (const sched::StepSequence& s : step.sequences) {
    Active& active = active_.at(s.id.value);
    if (std::exchange(active.has_started, true)) continue;
    active.started = clock_.now();
    active.counts.cached_tokens = scheduler_.cached_tokens(s.id);
    count_.prompt_tokens += static_cast<std::uint64_t>(active.counts.prompt_tokens);
    count_.cached_tokens += static_cast<std::uint64_t>(active.counts.cached_tokens);
  }
}

void Engine::sample(const sched::Step& step, std::span<const float> logits) {
  const auto vocab = static_cast<std::size_t>(info_.vocab);
  std::size_t row = 0;
  for (const sched::StepSequence& s : step.sequences) {
    if (!s.wants_logits) continue;
    const std::span<const float> row_logits = logits.subspan(row++ * vocab, vocab);
    Active& active = active_.at(s.id.value);
    if (active.has_ended) continue;
    const Generation& generation = active.generation;
    const std::span<const TokenId> context = scheduler_.tokens(s.id);
    const bool may_stop = active.counts.generated_tokens >= generation.min_tokens;
    Result<Sampled> sampled = sampler_.sample(
        generation.sampling, {.logits = row_logits,
                              .context = context,
                              .banned = may_stop ? std::span<const TokenId>{} : std::span<const TokenId>{generation.stop_tokens},
                              .top_logprobs = generation.top_logprobs});
    if (!sampled) {
      count_.nonfinite_logits += sampled.error().code == Code::internal;
      end(s.id, Finish::error, std::move(sampled.error()));
      continue;
    }
    active.counts.generated_tokens += 1;
    count_.generated_tokens += 1;
    if (active.counts.generated_tokens == 1) active.first_token = clock_.now();
    const std::optional<Finish> finish = ending(active, sampled->token, context.size());
    active.has_ended = finish.has_value();
    outcomes_.push_back({s.id, sampled->token, finish ? sched::Next::stop : sched::Next::go_on});
    events_.push_back({.sequence = s.id,
                       .token = sampled->token,
                       .logprob = sampled->logprob,
                       .top = std::move(sampled->top),
                       .finish = finish,
                       .counts = active.counts});
  }
}

// context: [0, context_tokens) before `token`, which may have taken the last place
std::optional<Finish> Engine::ending(const Active& active, TokenId token, std::size_t context_tokens) const {
  const Generation& generation = active.generation;
  if (holds(generation.stop_tokens, token)) return Finish::end_of_text;
  if (generation.max_tokens && active.counts.generated_tokens >= *generation.max_tokens) return Finish::max_tokens;
  if (context_tokens + 1 >= static_cast<std::size_t>(longest_)) return Finish::context_full;
  return std::nullopt;
}

void Engine::end(SequenceId id, Finish finish, std::optional<Error> error) {
  const auto found = active_.find(id.value);
  if (found == active_.end() || std::exchange(found->second.has_ended, true)) return;
  scheduler_.cancel(id);
  events_.push_back({.sequence = id, .finish = finish, .error = std::move(error), .counts = found->second.counts});
}

// Only between steps: when a sink hears of an end, the pages are back and the counters say so.
void Engine::tell_events() {
  const auto now = clock_.now();
  for (const TokenEvent& event : events_) {
    if (event.finish == Finish::error) {
      count_.failed += 1;
    } else if (event.finish == Finish::cancelled) {
      count_.cancelled += 1;
    } else if (event.finish) {
      count_.finished += 1;
    }
  }
  count_.now = scheduler_.counts();
  {
    const std::lock_guard lock(mutex_);
    stats_ = count_;
  }
  for (TokenEvent& event : std::exchange(events_, {})) {
    const auto found = active_.find(event.sequence.value);
    const Active& active = found->second;
    if (active.has_started) {
      event.timings.queued = active.started - active.submitted;
      if (active.counts.generated_tokens > 0) {
        event.timings.prompt = active.first_token - active.started;
        event.timings.generation = now - active.first_token;
      }
    }
    active.generation.sink(event);
    if (event.finish) active_.erase(found);
  }
}

}  // namespace qn::engine
