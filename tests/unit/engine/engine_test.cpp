#include "engine/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>

#include "unit/engine/fake_runner.h"

namespace qn::engine {
namespace {

using Tokens = std::vector<TokenId>;

// Collects the events of one generation and lets the test wait for the last.
class Listener {
 public:
  Sink sink() {
    return [this](const TokenEvent& event) {
      if (ended_) ++after_end_;
      if (event.token >= 0) tokens_.push_back(event.token);
      if (event.token >= 0) count_.fetch_add(1);
      if (on_event) on_event(event);
      if (!event.finish) return;
      ended_ = true;
      last_.set_value(event);
    };
  }
  TokenEvent wait() {
    const TokenEvent last = last_.get_future().get();
    return last;
  }
  const Tokens& tokens() const { return tokens_; }  // after wait()
  int count() const { return count_.load(); }
  int after_end() const { return after_end_; }
  std::function<void(const TokenEvent&)> on_event;  // on the engine's thread

 private:
  Tokens tokens_;
  std::atomic<int> count_ = 0;
  std::promise<TokenEvent> last_;
  bool ended_ = false;
  int after_end_ = 0;
};

// Lets the test hold a step in flight.
class Gate {
 public:
  void arrive_and_wait() {
    arrived_.store(true);
    arrived_.notify_all();
    open_.wait(false);
  }
  void wait_for_arrival() { arrived_.wait(false); }
  void open() {
    open_.store(true);
    open_.notify_all();
  }

 private:
  std::atomic<bool> arrived_ = false, open_ = false;
};

struct StoppedClock final : Clock {
  std::chrono::nanoseconds now() const override { return std::chrono::nanoseconds(time.load()); }
  std::atomic<std::int64_t> time = 1000;
};

const SteadyClock steady;

Tokens prompt(int tokens, int seed = 0) {
  Tokens out;
  for (int i = 0; i < tokens; ++i) out.push_back((seed * 7 + i * 3) % 50);
  return out;
}

// What a generation gets with nobody else there: straight from the model's words, without an engine.
Tokens alone(const Generation& generation, int vocab, int longest, Finish* why = nullptr) {
  Tokens context = generation.prompt, reply;
  Sampler sampler(vocab);
  for (Finish finish; true;) {
    const bool may_stop = static_cast<int>(reply.size()) >= generation.min_tokens;
    const std::vector<float> logits = fake_logits(context, vocab);
    const auto sampled =
        sampler.sample(generation.sampling,
                       {.logits = logits, .context = context, .banned = may_stop ? Tokens{} : generation.stop_tokens, .top_logprobs = {}});
    context.push_back(sampled->token);
    reply.push_back(sampled->token);
    if (std::ranges::count(generation.stop_tokens, sampled->token) > 0) {
      finish = Finish::end_of_text;
    } else if (generation.max_tokens && static_cast<int>(reply.size()) == *generation.max_tokens) {
      finish = Finish::max_tokens;
    } else if (static_cast<int>(context.size()) == longest) {
      finish = Finish::context_full;
    } else {
      continue;
    }
    if (why) *why = finish;
    return reply;
  }
}

SamplingParameters greedy() {
  return {.temperature = 0};
}

TEST(Engine, a_generation_gets_its_tokens_one_by_one_and_one_last_event) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  const Generation generation{.prompt = prompt(5), .sampling = greedy(), .max_tokens = 7};
  Listener listener;
  Generation with_sink = generation;
  with_sink.sink = listener.sink();
  ASSERT_TRUE(engine.submit(with_sink));
  const TokenEvent last = listener.wait();
  EXPECT_EQ(last.finish, Finish::max_tokens);
  EXPECT_EQ(listener.tokens(), alone(generation, 50, engine.longest()));
  EXPECT_EQ(last.counts.prompt_tokens, 5);
  EXPECT_EQ(last.counts.generated_tokens, 7);
  EXPECT_EQ(last.token, listener.tokens().back());
}

TEST(Engine, many_at_once_get_what_each_gets_alone) {
  for (const int pages : {400, 16}) {
    RunnerInfo info = small_runner;
    info.pages = pages;
    Gate gate;  // all are there before the first step ends, so that the crowd is always the same
    auto runner = std::make_unique<FakeRunner>(info);
    runner->before_step = [&](const sched::Step&) { gate.arrive_and_wait(); };
    std::vector<Generation> generations;
    std::vector<Listener> listeners(40);
    {
      Engine engine(std::move(runner), steady);
      for (int i = 0; i < 40; ++i) {
        Generation generation{.prompt = prompt(1 + (i * 5) % 30, i % 3), .max_tokens = 5 + i % 20, .stop_tokens = {i % 50}};
        generation.sampling.seed = static_cast<std::uint64_t>(i);
        generation.sampling.repetition_penalty = 1.2f;
        generation.min_tokens = i % 4;
        generations.push_back(generation);
        generation.sink = listeners[static_cast<std::size_t>(i)].sink();
        ASSERT_TRUE(engine.submit(generation));
      }
      gate.open();
      for (std::size_t i = 0; i < 40; ++i) {
        Finish expected;
        const Tokens reply = alone(generations[i], 50, engine.longest(), &expected);
        EXPECT_EQ(listeners[i].wait().finish, expected) << i;
        EXPECT_EQ(listeners[i].tokens(), reply) << i;
      }
      const Stats stats = engine.stats();
      EXPECT_EQ(stats.finished, 40u);
      EXPECT_EQ(stats.now.pages_held, 0);
      EXPECT_EQ(stats.now.preemptions > 0, pages == 16) << "the few pages must be too few";
    }
    for (const Listener& listener : listeners) EXPECT_EQ(listener.after_end(), 0);
  }
}

TEST(Engine, a_stop_token_ends_the_text_and_is_the_last_events_token) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  Generation generation{.prompt = prompt(5), .sampling = greedy(), .max_tokens = 20};
  const Tokens without = alone(generation, 50, engine.longest());
  generation.stop_tokens = {without[3]};
  Listener listener;
  generation.sink = listener.sink();
  ASSERT_TRUE(engine.submit(generation));
  const TokenEvent last = listener.wait();
  EXPECT_EQ(last.finish, Finish::end_of_text);
  EXPECT_EQ(last.token, without[3]);
  EXPECT_LE(listener.tokens().size(), 4u);
}

TEST(Engine, no_stop_token_comes_before_min_tokens) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  Tokens all_but_one;
  for (TokenId token = 1; token < 50; ++token) all_but_one.push_back(token);
  Generation generation{.prompt = prompt(5), .sampling = greedy(), .min_tokens = 3, .stop_tokens = all_but_one};
  Listener listener;
  generation.sink = listener.sink();
  ASSERT_TRUE(engine.submit(generation));
  listener.wait();
  ASSERT_GE(listener.tokens().size(), 4u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(listener.tokens()[i], 0);
}

TEST(Engine, a_reply_ends_where_the_context_is_full) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  Listener listener;
  ASSERT_TRUE(engine.submit({.prompt = prompt(50), .sampling = greedy(), .sink = listener.sink()}));
  EXPECT_EQ(listener.wait().finish, Finish::context_full);
  EXPECT_EQ(listener.tokens().size(), 10u) << "prompt and reply are 60 tokens";
}

TEST(Engine, a_prompt_that_leaves_no_room_is_refused_with_both_numbers) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  const auto refused = engine.submit({.prompt = prompt(60), .sink = [](const TokenEvent&) {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
  EXPECT_EQ(refused.error().message, "prompt: 60 tokens, at most 59 leave room for a reply; shorten it or raise the context length");
}

TEST(Engine, bad_requests_are_refused_before_they_reach_the_model) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  const Sink sink = [](const TokenEvent&) {};
  const auto refused = [&](Generation generation) {
    generation.sink = sink;
    const auto result = engine.submit(std::move(generation));
    return !result && result.error().code == Code::bad_input;
  };
  EXPECT_TRUE(refused({.prompt = {}}));
  EXPECT_TRUE(refused({.prompt = {50}}));
  EXPECT_TRUE(refused({.prompt = {-1}}));
  EXPECT_TRUE(refused({.prompt = {1}, .sampling = {.temperature = std::nanf("")}}));
  EXPECT_TRUE(refused({.prompt = {1}, .max_tokens = 0}));
  EXPECT_TRUE(refused({.prompt = {1}, .min_tokens = -1}));
  EXPECT_TRUE(refused({.prompt = {1}, .stop_tokens = {50}}));
  EXPECT_TRUE(refused({.prompt = {1}, .top_logprobs = 51}));
  EXPECT_EQ(engine.stats().steps, 0u);
}

TEST(Engine, a_shared_beginning_is_computed_once) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  for (const int expected : {0, 20}) {
    Listener listener;
    ASSERT_TRUE(engine.submit({.prompt = prompt(23), .sampling = greedy(), .max_tokens = 1, .sink = listener.sink()}));
    EXPECT_EQ(listener.wait().counts.cached_tokens, expected);
  }
}

TEST(Engine, log_probabilities_come_where_asked_for) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  Listener listener;
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 1, .top_logprobs = 3, .sink = listener.sink()}));
  const TokenEvent last = listener.wait();
  ASSERT_EQ(last.top.size(), 3u);
  EXPECT_EQ(last.top[0].token, last.token);
  EXPECT_EQ(last.top[0].logprob, last.logprob);
  EXPECT_LT(last.logprob, 0);
}

TEST(Engine, a_cancelled_reply_ends_and_its_pages_come_back) {
  Engine engine(std::make_unique<FakeRunner>(RunnerInfo{.vocab = 50,
                                                        .context_tokens = 1 << 20,
                                                        .pages = 1 << 14,
                                                        .page_tokens = 64,
                                                        .max_batched_tokens = 16,
                                                        .max_sequences = 8,
                                                        .max_logits = 8}),
                steady);
  Listener listener;
  listener.on_event = [&](const TokenEvent& event) {
    if (event.counts.generated_tokens == 3 && !event.finish) engine.cancel(event.sequence);
  };
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .sink = listener.sink()}));
  const TokenEvent last = listener.wait();
  EXPECT_EQ(last.finish, Finish::cancelled);
  EXPECT_EQ(last.token, -1);
  EXPECT_EQ(listener.tokens().size(), 3u) << "cancelled between steps: not one token more";
  EXPECT_EQ(engine.stats().now.pages_held, 0);
  EXPECT_EQ(engine.stats().cancelled, 1u);
}

TEST(Engine, a_request_cancelled_while_its_step_runs_gets_no_token_of_it) {
  Gate gate;
  auto runner = std::make_unique<FakeRunner>();
  runner->before_step = [&](const sched::Step&) { gate.arrive_and_wait(); };
  Engine engine(std::move(runner), steady);
  Listener listener;
  const auto id = engine.submit({.prompt = prompt(5), .sampling = greedy(), .sink = listener.sink()});
  gate.wait_for_arrival();
  engine.cancel(*id);
  gate.open();
  EXPECT_EQ(listener.wait().finish, Finish::cancelled);
  EXPECT_TRUE(listener.tokens().empty());
  EXPECT_EQ(engine.stats().now.pages_held, 0);
  EXPECT_EQ(engine.stats().steps, 1u) << "within the step";
}

TEST(Engine, a_request_cancelled_while_it_waits_never_runs) {
  RunnerInfo info = small_runner;
  info.max_sequences = 1;
  Gate gate;
  auto runner = std::make_unique<FakeRunner>(info);
  runner->before_step = [&](const sched::Step&) { gate.arrive_and_wait(); };
  Engine engine(std::move(runner), steady);
  Listener first, second;
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 3, .sink = first.sink()}));
  gate.wait_for_arrival();
  const auto id = engine.submit({.prompt = prompt(6), .sampling = greedy(), .sink = second.sink()});
  engine.cancel(*id);
  gate.open();
  EXPECT_EQ(second.wait().finish, Finish::cancelled);
  EXPECT_EQ(first.wait().finish, Finish::max_tokens);
  EXPECT_TRUE(second.tokens().empty());
  EXPECT_EQ(engine.stats().prompt_tokens, 5u);
}

TEST(Engine, cancelling_what_is_gone_or_never_was_does_nothing) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  engine.cancel(SequenceId{99});
  Listener listener;
  const auto id = engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 2, .sink = listener.sink()});
  EXPECT_EQ(listener.wait().finish, Finish::max_tokens);
  engine.cancel(*id);
  Listener next;
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 2, .sink = next.sink()}));
  EXPECT_EQ(next.wait().finish, Finish::max_tokens);
  EXPECT_EQ(listener.after_end(), 0);
}

TEST(Engine, an_error_of_the_runner_fails_the_requests_of_its_step_and_the_engine_lives_on) {
  auto runner = std::make_unique<FakeRunner>();
  runner->fail_next = true;
  Engine engine(std::move(runner), steady);
  Listener failing;
  ASSERT_TRUE(engine.submit({.prompt = prompt(9), .sampling = greedy(), .sink = failing.sink()}));
  const TokenEvent last = failing.wait();
  EXPECT_EQ(last.finish, Finish::error);
  EXPECT_EQ(last.error->message, "device: it stumbled; try again");
  EXPECT_EQ(engine.stats().now.pages_held, 0);

  Listener next;
  const Generation generation{.prompt = prompt(9), .sampling = greedy(), .max_tokens = 4};
  Generation with_sink = generation;
  with_sink.sink = next.sink();
  ASSERT_TRUE(engine.submit(with_sink));
  EXPECT_EQ(next.wait().counts.cached_tokens, 0) << "what the failed step wrote is not reused";
  EXPECT_EQ(next.tokens(), alone(generation, 50, engine.longest()));
}

TEST(Engine, nonfinite_logits_end_one_request_and_no_other) {
  auto runner = std::make_unique<FakeRunner>();
  runner->change_logits = [](const Tokens& read, std::vector<float>& row) {
    if (read.front() == 49 && read.size() > 5) row[7] = std::nanf("");
  };
  Engine engine(std::move(runner), steady);
  Listener poisoned, healthy;
  const Generation generation{.prompt = prompt(3), .sampling = greedy(), .max_tokens = 20};
  Generation with_sink = generation;
  with_sink.sink = healthy.sink();
  ASSERT_TRUE(engine.submit({.prompt = {49, 1, 2}, .sampling = greedy(), .max_tokens = 20, .sink = poisoned.sink()}));
  ASSERT_TRUE(engine.submit(with_sink));
  const TokenEvent last = poisoned.wait();
  EXPECT_EQ(last.finish, Finish::error);
  EXPECT_EQ(last.error->message.find("nonfinite logits"), 0u);
  EXPECT_EQ(poisoned.tokens().size(), 3u);
  EXPECT_EQ(healthy.wait().finish, Finish::max_tokens);
  EXPECT_EQ(healthy.tokens(), alone(generation, 50, engine.longest()));
  EXPECT_EQ(engine.stats().nonfinite_logits, 1u);
  EXPECT_EQ(engine.stats().now.pages_held, 0);
}

TEST(Engine, destruction_ends_what_runs_and_what_waits_with_one_last_event_each) {
  std::vector<Listener> listeners(20);
  {
    RunnerInfo info = small_runner;
    info.context_tokens = 1 << 20;
    info.pages = 1 << 14;
    Engine engine(std::make_unique<FakeRunner>(info), steady);
    for (Listener& listener : listeners) ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .sink = listener.sink()}));
    while (listeners[0].count() < 2) std::this_thread::yield();
  }
  for (Listener& listener : listeners) {
    EXPECT_EQ(listener.wait().finish, Finish::cancelled);
    EXPECT_EQ(listener.after_end(), 0);
  }
}

TEST(Engine, destruction_during_the_step_that_ends_the_last_request_does_not_hang) {
  Gate gate;
  Engine* engine = nullptr;
  auto runner = std::make_unique<FakeRunner>();
  runner->before_step = [&](const sched::Step&) {
    gate.arrive_and_wait();
    const Generation probe{.prompt = {1}, .sink = [](const TokenEvent&) {}};
    while (const auto accepted = engine->submit(probe)) engine->cancel(*accepted);  // until it is closed
  };
  auto owner = std::make_unique<Engine>(std::move(runner), steady);
  engine = owner.get();
  Listener listener;
  ASSERT_TRUE(engine->submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 1, .sink = listener.sink()}));
  gate.wait_for_arrival();
  std::thread destroyer([&] { owner.reset(); });
  gate.open();
  EXPECT_EQ(listener.wait().finish, Finish::max_tokens);
  destroyer.join();
}

TEST(Engine, an_idle_engine_is_destroyed_at_once) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
}

TEST(Engine, a_sink_may_submit_the_next_request) {
  Engine engine(std::make_unique<FakeRunner>(), steady);
  Listener first, second;
  first.on_event = [&](const TokenEvent& event) {
    if (!event.finish) return;
    ASSERT_TRUE(engine.submit({.prompt = prompt(4), .sampling = greedy(), .max_tokens = 2, .sink = second.sink()}));
  };
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 2, .sink = first.sink()}));
  EXPECT_EQ(second.wait().finish, Finish::max_tokens);
  first.wait();
}

TEST(Engine, times_are_told_by_the_clock_it_was_given) {
  StoppedClock clock;
  auto runner = std::make_unique<FakeRunner>();
  runner->before_step = [&](const sched::Step& step) { clock.time += step.sequences[0].first_position == 0 ? 500 : 20; };
  Engine engine(std::move(runner), clock);
  Listener listener;
  ASSERT_TRUE(engine.submit({.prompt = prompt(5), .sampling = greedy(), .max_tokens = 4, .sink = listener.sink()}));
  const TokenEvent last = listener.wait();
  EXPECT_EQ(last.timings.queued.count(), 0);
  EXPECT_EQ(last.timings.prompt.count(), 500);
  EXPECT_EQ(last.timings.generation.count(), 60);
  EXPECT_EQ(engine.stats().forward.count(), 560);
}

TEST(Engine, clients_on_many_threads_submit_and_cancel_without_harm) {
  std::atomic<int> ended = 0;
  {
    Engine engine(std::make_unique<FakeRunner>(), steady);
    std::vector<std::thread> clients;
    for (int client = 0; client < 4; ++client) {
      clients.emplace_back([&, client] {
        for (int i = 0; i < 50; ++i) {
          const auto id =
              engine.submit({.prompt = prompt(1 + (client * 11 + i) % 40), .max_tokens = 6, .sink = [&](const TokenEvent& event) {
                               ended += event.finish.has_value();
                             }});
          ASSERT_TRUE(id);
          if (i % 3 == 0) engine.cancel(*id);
          (void)engine.stats();
        }
      });
    }
    for (std::thread& client : clients) client.join();
  }
  EXPECT_EQ(ended, 200) << "one last event each";
}

}  // namespace
}  // namespace qn::engine
