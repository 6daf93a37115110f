#include "engine/engine.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "engine/drafts.h"

namespace qn::engine {
namespace {

sched::Limits limits_of(const RunnerInfo& info) {
  return {.max_sequences = info.max_sequences,
          .max_batched_tokens = info.max_batched_tokens,
          .prompt_rows_beside_replies = info.prompt_rows_beside_replies,
          .context_tokens = info.context_tokens,
          .pages = info.pages,
          .page_tokens = info.page_tokens};
}

constexpr float least_weight = 1e-3f, most_weight = 1e3f;
constexpr std::size_t most_scored = 4096;
// Expected of who does not say, and the most that is believed of who does; fairness corrects both when the reply ends.
constexpr int usual_reply_tokens = 256, most_expected_tokens = 1024;

bool gives_tokens(const Generation& generation) {
  return !generation.pooling && generation.scored.empty();
}

sched::Reads reads_of(const Generation& generation) {
  const bool whole_prompt = generation.prompt_logprobs || (generation.pooling && *generation.pooling != Pooling::last);
  return whole_prompt ? sched::Reads::every_row : sched::Reads::next_token;
}

std::size_t bucket_of(int rows) {
  const auto bucket = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(rows) - 1));
  return std::min(bucket, std::tuple_size_v<decltype(Stats::steps_by_rows)> - 1);
}

}  // namespace

Engine::Engine(std::unique_ptr<Runner> runner, const Clock& clock, const EngineOptions& options)
    : runner_(std::move(runner)),
      clock_(clock),
      info_(runner_->info()),
      options_(options),
      scheduler_(limits_of(info_)),
      longest_(scheduler_.longest()),
      reader_(*runner_, longest_) {
  count_.pages = info_.pages;
  publish({});
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
    if (queued_ >= options_.max_waiting) {
      ++refused_;
      return fail(Code::overloaded, "queue: {} requests wait already, and no more than {} may; try again later", queued_,
                  options_.max_waiting);
    }
    ++queued_;
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
  Stats stats = stats_;
  stats.queued = queued_;
  stats.refused = refused_;
  return stats;
}

Status Engine::check(const Generation& generation) const {
  QN_CHECK(generation.sink != nullptr, "a generation has a sink");
  QN_OK(engine::check(generation.sampling, info_.vocab));
  if (generation.prompt.empty()) return fail(Code::bad_input, "prompt: it has no tokens; give at least one");
  if (generation.prompt.size() >= static_cast<std::size_t>(longest_)) {
    return fail(Code::too_large, "prompt: {} tokens, at most {} leave room for a reply; shorten it or raise the context length",
                generation.prompt.size(), longest_ - 1);
  }
  const std::pair<const char*, const std::vector<TokenId>*> lists[] = {
      {"prompt", &generation.prompt}, {"stop_token_ids", &generation.stop_tokens}, {"scored tokens", &generation.scored}};
  for (const auto& [name, tokens] : lists) {
    for (const TokenId token : *tokens) {
      if (token >= 0 && token < info_.vocab) continue;
      return fail(Code::bad_input, "{}: token {} is not in the vocabulary; ids go from 0 to {}", name, token, info_.vocab - 1);
    }
  }
  if (generation.scored.size() > most_scored) {
    return fail(Code::bad_input, "scored tokens: {}, at most {}; give fewer", generation.scored.size(), most_scored);
  }
  const int fewest = generation.prompt_logprobs ? 0 : 1;
  if (generation.max_tokens && *generation.max_tokens < fewest) {
    return fail(Code::bad_input, "max_tokens: {} is out of range; give at least {}", *generation.max_tokens, fewest);
  }
  if (generation.min_tokens < 0) {
    return fail(Code::bad_input, "min_tokens: {} is out of range; give at least 0", generation.min_tokens);
  }
  const std::pair<const char*, std::optional<int>> scores[] = {{"top_logprobs", generation.top_logprobs},
                                                               {"prompt_logprobs", generation.prompt_logprobs}};
  for (const auto& [name, count] : scores) {
    if (!count || (*count >= 0 && *count <= info_.vocab)) continue;
    return fail(Code::bad_input, "{}: {} is out of range; give a number from 0 to {}", name, *count, info_.vocab);
  }
  if (generation.draft_tokens < 0 || generation.draft_tokens > most_draft_tokens) {
    return fail(Code::bad_input, "draft tokens: {} is out of range; give a number from 0 to {}", generation.draft_tokens,
                most_draft_tokens);
  }
  if (!(generation.weight >= least_weight && generation.weight <= most_weight)) {
    return fail(Code::bad_input, "weight: {} is out of range; give a number from {} to {}", generation.weight, least_weight, most_weight);
  }
  if (generation.pooling && info_.width == 0) {
    return fail(Code::unsupported, "embeddings: this model gives no hidden states; use another");
  }
  if ((generation.pooling && !generation.scored.empty()) ||
      (!gives_tokens(generation) && (generation.constraint || generation.prompt_logprobs))) {
    return fail(Code::bad_input, "embeddings and scores: they give no tokens, so nothing else can be asked for with them; ask twice");
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
    if (wait == Wait::while_idle && scheduler_.idle() && !stopping_) {
      stats_.turn_begun.reset();
      wake_.wait(lock, [&] { return !commands_.empty(); });
    }
    std::swap(taken, commands_);
  }
  for (Submit& submit : taken.submits) accept(std::move(submit));
  for (const SequenceId id : taken.cancels) end(id, Finish::cancelled);
  stopping_ |= taken.stop;
}

void Engine::accept(Submit submit) {
  Generation& generation = submit.generation;
  const int prompt_tokens = static_cast<int>(generation.prompt.size());
  const int reply_tokens = gives_tokens(generation) ? generation.max_tokens.value_or(usual_reply_tokens) : 0;
  const auto refused = scheduler_.add({.id = submit.id,
                                       .prompt = std::exchange(generation.prompt, {}),
                                       .salt = generation.salt,
                                       .priority = generation.priority,
                                       .tenant = generation.tenant,
                                       .weight = static_cast<double>(generation.weight),
                                       .expected_tokens = std::min({reply_tokens, most_expected_tokens, longest_ - prompt_tokens}),
                                       .reads = reads_of(generation),
                                       .rows_a_step = generation.prompt_logprobs ? info_.max_logits : info_.max_batched_tokens,
                                       .ahead = false});
  QN_CHECK(!refused, "submit() lets in only what fits");
  Active& active = active_[submit.id.value];
  active.generation = std::move(generation);
  active.counts.prompt_tokens = prompt_tokens;
  active.submitted = submit.at;
}

void Engine::run_step() {
  const auto begun = clock_.now();
  const sched::Step step = scheduler_.plan();
  if (step.sequences.empty()) return;
  note_starts(step);
  publish(begun);
  const auto launched = clock_.now();
  Status status = runner_->forward(step);
  const auto computed = clock_.now();
  take_commands(Wait::never);  // whoever was cancelled meanwhile gets no more tokens

  readings_.clear();
  chosen_.clear();
  outcomes_.clear();
  if (status) status = read(step);
  if (!status) {
    outcomes_.clear();
    for (const Reading& reading : readings_) reading.active->counts.generated_tokens -= static_cast<int>(reading.chosen.size());
    for (const sched::StepSequence& s : step.sequences) end(s.id, Finish::error, status.error());
  }
  const auto sampled = clock_.now();
  const int rows = step.rows();
  scheduler_.commit(outcomes_);
  suggest_drafts(step);

  count_.steps += 1;
  count_.rows += static_cast<std::uint64_t>(rows);
  count_.steps_by_rows[bucket_of(rows)] += 1;
  count_.forward += computed - launched;
  count_.sampling += sampled - computed;
  count_.scheduling += (launched - begun) + (clock_.now() - sampled);
}

void Engine::note_starts(const sched::Step& step) {
  for (const sched::StepSequence& s : step.sequences) {
    Active& active = active_.at(s.id.value);
    if (active.counts.generated_tokens == 0) {  // while the prompt is read, more of it may be found computed
      const int found = scheduler_.cached_tokens(s.id);
      count_.cached_tokens += static_cast<std::uint64_t>(found - std::exchange(active.counts.cached_tokens, found));
    }
    if (std::exchange(active.has_started, true)) continue;
    active.started = clock_.now();
    left_queue_ += 1;
    count_.prompt_tokens += static_cast<std::uint64_t>(active.counts.prompt_tokens);
  }
}

Status Engine::read(const sched::Step& step) {
  int row = 0;
  for (const sched::StepSequence& s : step.sequences) {
    Active& active = active_.at(s.id.value);
    if (s.reads > 0 && !active.has_ended) {
      readings_.push_back({.in_step = &s, .first_row = row, .active = &active, .context = scheduler_.tokens(s.id)});
    }
    row += static_cast<int>(s.tokens.size());
  }
  QN_OK(reader_.read(readings_));
  std::size_t chosen = 0;
  for (const Reading& reading : readings_) chosen += reading.chosen.size();
  chosen_.reserve(chosen);  // so that what outcomes borrow stays where it is
  for (Reading& reading : readings_) note_outcome(reading);
  return {};
}

void Engine::count_forced_and_drafts(const Reading& reading) {
  count_.forced_tokens += static_cast<std::uint64_t>(reading.forced);
  const int drafts = reading.in_step->drafts, accepted = reading.accepted();
  if (drafts == 0) return;
  Speculation& speculation = count_.speculation;
  speculation.drafts += 1;
  speculation.draft_tokens += static_cast<std::uint64_t>(drafts);
  speculation.accepted_tokens += static_cast<std::uint64_t>(accepted);
  for (std::size_t i = 0; i < static_cast<std::size_t>(accepted); ++i) speculation.accepted_at_place[i] += 1;
  reading.active->counts.draft_tokens += drafts;
  reading.active->counts.accepted_tokens += accepted;
}

void Engine::note_outcome(Reading& reading) {
  const SequenceId id = reading.in_step->id;
  Active& active = *reading.active;
  count_forced_and_drafts(reading);
  const auto count = static_cast<int>(reading.chosen.size());
  if (!reading.error && !reading.at_end()) return;
  count_.generated_tokens += static_cast<std::uint64_t>(count);
  const std::optional<Finish> finish = reading.error ? std::nullopt : reading.finish;
  if (!active.first_token && (count > 0 || finish)) active.first_token = clock_.now();
  active.has_ended = finish.has_value();
  const std::size_t first = chosen_.size();
  for (Sampled& sampled : reading.chosen) {
    chosen_.push_back(sampled.token);
    const bool is_last = chosen_.size() == first + reading.chosen.size();
    TokenEvent event{.sequence = id, .token = sampled.token, .logprob = sampled.logprob, .top = std::move(sampled.top)};
    event.counts = active.counts;
    event.counts.generated_tokens -= count - static_cast<int>(chosen_.size() - first);
    if (event.counts.generated_tokens == 1) event.prompt = std::exchange(active.prompt_scores, {});
    if (is_last) event.finish = finish;
    events_.push_back(std::move(event));
  }
  if (reading.error) {  // after what was chosen before it
    count_.nonfinite_logits += reading.error->code == Code::internal;
    end(id, Finish::error, std::move(reading.error));
    return;
  }
  if (count == 0) {
    events_.push_back({.sequence = id,
                       .prompt = std::exchange(active.prompt_scores, {}),
                       .embedding = std::move(reading.embedding),
                       .scores = std::move(reading.scores),
                       .finish = finish,
                       .counts = active.counts});
  }
  outcomes_.push_back({.id = id, .tokens = std::span(chosen_).subspan(first), .next = finish ? sched::Next::stop : sched::Next::go_on});
}

void Engine::suggest_drafts(const sched::Step& step) {
  for (const sched::StepSequence& s : step.sequences) {
    const Active& active = active_.at(s.id.value);
    const Generation& generation = active.generation;
    if (generation.draft_tokens == 0 || active.has_ended || active.counts.generated_tokens == 0) continue;
    int count = std::min(generation.draft_tokens, info_.max_logits - 1);
    if (generation.max_tokens) count = std::min(count, *generation.max_tokens - active.counts.generated_tokens - 1);
    scheduler_.suggest(s.id, look_up_drafts(scheduler_.tokens(s.id), count));
  }
}

void Engine::end(SequenceId id, Finish finish, std::optional<Error> error) {
  const auto found = active_.find(id.value);
  if (found == active_.end() || std::exchange(found->second.has_ended, true)) return;
  scheduler_.cancel(id);
  events_.push_back({.sequence = id, .finish = finish, .error = std::move(error), .counts = found->second.counts});
}

void Engine::publish(std::optional<std::chrono::nanoseconds> turn_begun) {
  count_.now = scheduler_.counts();
  const std::lock_guard lock(mutex_);
  queued_ -= std::exchange(left_queue_, 0);
  stats_ = count_;
  stats_.turn_begun = turn_begun;
}

// Only between steps: when a sink hears of an end, the pages are back and the counters say so.
void Engine::tell_events() {
  const auto now = clock_.now();
  for (const TokenEvent& event : events_) {
    if (!event.finish) continue;
    left_queue_ += !active_.at(event.sequence.value).has_started;
    if (event.finish == Finish::error) {
      count_.failed += 1;
    } else if (event.finish == Finish::cancelled) {
      count_.cancelled += 1;
    } else {
      count_.finished += 1;
    }
  }
  publish(now);
  for (TokenEvent& event : std::exchange(events_, {})) {
    const auto found = active_.find(event.sequence.value);
    const Active& active = found->second;
    if (active.has_started) {
      event.timings.queued = active.started - active.submitted;
      if (active.first_token) {
        event.timings.prompt = *active.first_token - active.started;
        event.timings.generation = now - *active.first_token;
      }
    }
    active.generation.sink(event);
    if (event.finish) active_.erase(found);
  }
}

}  // namespace qn::engine
