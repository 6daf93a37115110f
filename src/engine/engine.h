// Engine: one thread, one loop. Take commands, plan a step, run it, sample, commit, tell the sinks.
// Invariant: every accepted generation gets exactly one last event, whatever happens, and what a request does or suffers changes
// no other's output. docs/ENGINE.md states the contracts.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "engine/active.h"
#include "engine/generation.h"
#include "engine/reader.h"
#include "engine/runner.h"
#include "engine/stats.h"
#include "sched/scheduler.h"

namespace qn::engine {

struct EngineOptions {
  int max_waiting = 512;  // generations accepted and not started; more are refused until some are
};

class Engine {
 public:
  // Starts the thread. The clock outlives the engine.
  Engine(std::unique_ptr<Runner> runner, const Clock& clock, const EngineOptions& options = {});

  // Ends what is running with Finish::cancelled, within one step; returns when every sink has had its last event.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Queues a generation; its events come from the engine's thread, maybe before this returns. Callable from any thread.
  //   errors   bad_input: a number out of range, a token id outside the vocabulary, an empty prompt; too_large: the prompt leaves
  //            no room for a reply, with both numbers; overloaded: too many wait already; unsupported: the model cannot do it;
  //            cancelled: the engine shuts down
  Result<SequenceId> submit(Generation generation);

  // Asks for an end with Finish::cancelled. No token events follow, once a step that is under way has ended; the last event does,
  // unless it came already. Callable from any thread.
  void cancel(SequenceId id);

  Stats stats() const;
  const RunnerInfo& info() const { return info_; }
  int longest() const { return longest_; }  // prompt and reply together

 private:
  struct Submit {
    SequenceId id;
    Generation generation;
    std::chrono::nanoseconds at;
  };
  struct Commands {
    std::vector<Submit> submits;
    std::vector<SequenceId> cancels;
    bool stop = false;
    bool empty() const { return submits.empty() && cancels.empty() && !stop; }
  };
  enum class Wait { while_idle, never };

  Status check(const Generation& generation) const;
  void accept(Submit submit);
  void loop();
  void take_commands(Wait wait);
  void note_starts(const sched::Step& step);
  void run_step();
  Status read(const sched::Step& step);
  void count_forced_and_drafts(const Reading& reading);
  void note_outcome(Reading& reading);
  void suggest_drafts(const sched::Step& step);
  void end(SequenceId id, Finish finish, std::optional<Error> error = {});
  void publish(std::optional<std::chrono::nanoseconds> turn_begun);
  void tell_events();

  const std::unique_ptr<Runner> runner_;
  const Clock& clock_;
  const RunnerInfo info_;
  const EngineOptions options_;

  // The engine's thread alone.
  sched::Scheduler scheduler_;
  const int longest_;
  Reader reader_;
  std::unordered_map<std::uint64_t, Active> active_;  // by id: all that have not had their last event
  std::vector<Reading> readings_;                     // of the step in hand
  std::vector<TokenId> chosen_;                       // in it, by all, one after the other: what outcomes_ borrow
  std::vector<sched::Outcome> outcomes_;
  std::vector<TokenEvent> events_;  // to be told when no step is in flight
  Stats count_;                     // published as stats_
  int left_queue_ = 0;              // since queued_ was published
  bool stopping_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  Commands commands_;
  std::uint64_t last_id_ = 0;
  bool closed_ = false;
  int queued_ = 0;             // accepted and not started
  std::uint64_t refused_ = 0;  // because of that
  Stats stats_;

  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace qn::engine
