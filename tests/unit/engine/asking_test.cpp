// What can be asked of a generation beside tokens, and what may be said: constraints, forced tokens, drafts, log probabilities of
// prompts, embeddings, scores; and the bound on the queue.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <thread>
#include <tuple>
#include <utility>

#include "engine/drafts.h"
#include "engine/engine.h"
#include "unit/engine/fake_runner.h"

namespace qn::engine {
namespace {

using Tokens = std::vector<TokenId>;

const SteadyClock steady;

Tokens prompt(int tokens, int seed = 0) {
  Tokens out;
  for (int i = 0; i < tokens; ++i) out.push_back((seed * 7 + i * 3) % 50);
  return out;
}

// All events of one generation.
struct Told {
  std::vector<TokenEvent> events;
  Tokens tokens() const {
    Tokens out;
    for (const TokenEvent& event : events) {
      if (event.token >= 0) out.push_back(event.token);
    }
    return out;
  }
  std::vector<float> logprobs() const {
    std::vector<float> out;
    for (const TokenEvent& event : events) out.push_back(event.logprob);
    return out;
  }
  const TokenEvent& last() const { return events.back(); }
};

std::vector<Told> ask(Engine& engine, std::vector<Generation> generations) {
  std::vector<Told> told(generations.size());
  std::vector<std::promise<void>> done(generations.size());
  for (std::size_t i = 0; i < generations.size(); ++i) {
    generations[i].sink = [&told, &done, i](const TokenEvent& event) {
      told[i].events.push_back(event);
      if (event.finish) done[i].set_value();
    };
    const auto id = engine.submit(std::move(generations[i]));
    EXPECT_TRUE(id) << id.error().message;
    if (!id) return {};
  }
  for (std::promise<void>& one : done) one.get_future().wait();
  return told;
}

Told ask(Engine& engine, Generation generation) {
  return std::move(ask(engine, std::vector<Generation>{std::move(generation)}).front());
}

std::unique_ptr<Engine> engine_of(const RunnerInfo& info = small_runner, const EngineOptions& options = {}) {
  return std::make_unique<Engine>(std::make_unique<FakeRunner>(info), steady, options);
}

// After token t only t + 1 to t + `width` may come, and after a multiple of five, `run` tokens are forced.
class Steps final : public Constraint {
 public:
  explicit Steps(int width, int run = 0, TokenId first = 0) : width_(width), run_(run), last_(first) {}
  std::span<const std::uint64_t> allowed() override {
    word_ = 0;
    for (int step = 1; step <= width_; ++step) word_ |= std::uint64_t{1} << ((last_ + step) % 50);
    return {&word_, 1};
  }
  void advance(TokenId token) override {
    advanced.push_back(token);
    since_fifth_ = token % 5 == 0 && since_fifth_ >= run_ ? 0 : since_fifth_ + 1;
    last_ = token;
  }
  Tokens forced() override {
    Tokens tokens;
    for (int i = since_fifth_; i < run_; ++i) tokens.push_back((last_ + 1 + static_cast<int>(tokens.size())) % 50);
    return tokens;
  }
  Tokens advanced;

 private:
  int width_, run_;
  TokenId last_;
  int since_fifth_ = 1 << 20;
  std::uint64_t word_ = 0;
};

bool climbs(const Tokens& tokens, int width) {
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const int step = (tokens[i] - tokens[i - 1] + 50) % 50;
    if (step < 1 || step > width) return false;
  }
  return true;
}

TEST(Constrained, only_allowed_tokens_are_chosen_greedy_or_drawn_and_all_are_advanced) {
  const auto engine = engine_of();
  for (const float temperature : {0.0f, 1.5f}) {
    const auto steps = std::make_shared<Steps>(3);
    const Told told = ask(*engine, {.prompt = prompt(5), .sampling = {.temperature = temperature}, .max_tokens = 30, .constraint = steps});
    EXPECT_EQ(told.tokens().size(), 30u);
    EXPECT_TRUE(climbs(told.tokens(), 3));
    EXPECT_EQ(steps->advanced, told.tokens());
  }
}

TEST(Constrained, log_probabilities_stay_the_models_own) {
  const auto engine = engine_of();
  const Told told =
      ask(*engine, {.prompt = prompt(5), .max_tokens = 1, .top_logprobs = 50, .constraint = std::make_shared<Steps>(1, 0, 8)});
  ASSERT_EQ(told.last().token, 9);
  ASSERT_EQ(told.last().top.size(), 50u) << "what may not be said is listed too";
  double sum = 0;
  for (const TokenLogprob& entry : told.last().top) sum += std::exp(entry.logprob);
  EXPECT_NEAR(sum, 1, 1e-4);
}

TEST(Constrained, one_that_allows_nothing_ends_its_request_with_an_error_and_no_other) {
  const auto engine = engine_of();
  const Generation free{.prompt = prompt(7), .max_tokens = 20};
  const Tokens alone = ask(*engine, free).tokens();
  const auto told = ask(*engine, std::vector<Generation>{{.prompt = prompt(5), .constraint = std::make_shared<Steps>(0)}, free});
  EXPECT_EQ(told[0].last().finish, Finish::error);
  EXPECT_EQ(told[0].last().error->code, Code::bad_input);
  EXPECT_EQ(told[0].last().error->message.find("constraint: it leaves no token"), 0u);
  EXPECT_EQ(told[1].tokens(), alone);
  EXPECT_EQ(engine->stats().now.pages_held, 0);
}

TEST(Constrained, min_tokens_gives_way_where_only_the_end_is_allowed) {
  const auto engine = engine_of();
  const Told told =
      ask(*engine, {.prompt = prompt(5), .min_tokens = 10, .stop_tokens = {9}, .constraint = std::make_shared<Steps>(1, 0, 6)});
  EXPECT_EQ(told.tokens(), (Tokens{7, 8, 9}));
  EXPECT_EQ(told.last().finish, Finish::end_of_text);
}

TEST(Constrained, forced_tokens_cost_no_step_and_each_has_its_event) {
  const auto engine = engine_of();
  const auto constraint = std::make_shared<Steps>(2, 4);
  const Told told = ask(*engine, {.prompt = prompt(5), .max_tokens = 40, .constraint = constraint});
  EXPECT_TRUE(climbs(told.tokens(), 2));
  EXPECT_EQ(told.events.size(), 40u);
  EXPECT_EQ(constraint->advanced, told.tokens());
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(told.events[i].counts.generated_tokens, static_cast<int>(i) + 1);
  const Stats stats = engine->stats();
  EXPECT_GT(stats.forced_tokens, 10u);
  EXPECT_LE(stats.steps, 40 - stats.forced_tokens + 1);
}

TEST(Constrained, forced_tokens_are_the_same_with_log_probabilities_as_without) {
  for (const int run : {1, 3, 4}) {
    Generation generation{.prompt = prompt(5), .sampling = {.temperature = 1, .seed = 4}, .max_tokens = 33};
    const auto engine = engine_of();
    generation.constraint = std::make_shared<Steps>(2, run);
    const Tokens without = ask(*engine, generation).tokens();
    generation.constraint = std::make_shared<Steps>(2, run);
    generation.top_logprobs = 0;
    const Told told = ask(*engine, generation);
    EXPECT_EQ(told.tokens(), without);
    for (const TokenEvent& event : told.events) EXPECT_LT(event.logprob, 0);
  }
}

TEST(Constrained, a_run_of_forced_tokens_ends_where_the_reply_does) {
  const auto engine = engine_of();
  EXPECT_EQ(ask(*engine, {.prompt = prompt(5), .max_tokens = 7, .constraint = std::make_shared<Steps>(1, 4)}).tokens().size(), 7u);
  const Told stopped = ask(*engine, {.prompt = prompt(5), .stop_tokens = {8}, .constraint = std::make_shared<Steps>(1, 4)});
  EXPECT_EQ(stopped.tokens(), (Tokens{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(stopped.last().finish, Finish::end_of_text);
  const Told full = ask(*engine, {.prompt = prompt(52), .constraint = std::make_shared<Steps>(1, 4)});
  EXPECT_EQ(full.tokens().size(), 8u);
  EXPECT_EQ(full.last().finish, Finish::context_full);
}

TEST(Drafts, are_what_followed_the_longest_run_that_stands_earlier) {
  EXPECT_EQ(look_up_drafts(Tokens{1, 2, 3, 9, 8, 1, 2, 3}, 2), (Tokens{9, 8}));
  EXPECT_EQ(look_up_drafts(Tokens{1, 2, 7, 5, 1, 2, 6, 7, 1, 2}, 1), (Tokens{6})) << "the latest of equally long ones";
  EXPECT_EQ(look_up_drafts(Tokens{4, 1, 2, 7, 1, 2, 6, 4, 1, 2}, 1), (Tokens{7})) << "a longer one before a later one";
  EXPECT_EQ(look_up_drafts(Tokens{5, 1, 2, 1, 2}, 5), (Tokens{1, 2, 1, 2, 1})) << "what repeats itself goes on";
  EXPECT_EQ(look_up_drafts(Tokens{1, 2, 3, 4}, 5), Tokens{});
  EXPECT_EQ(look_up_drafts(Tokens{1, 9, 1}, 5), Tokens{}) << "one token is no run";
  EXPECT_EQ(look_up_drafts(Tokens{}, 5), Tokens{});
  EXPECT_EQ(look_up_drafts(Tokens{1, 1, 1}, 0), Tokens{});
}

// A model that says the same over and over, most of the time.
std::unique_ptr<FakeRunner> parrot(const RunnerInfo& info) {
  auto runner = std::make_unique<FakeRunner>(info);
  runner->change_logits = [](const Tokens& read, std::vector<float>& row) {
    if (read.size() % 7 != 0) row[static_cast<std::size_t>(read.back() * 3 % 11)] += 9;
  };
  return runner;
}

TEST(Drafts, change_no_token_and_no_log_probability_and_save_steps) {
  std::vector<Generation> generations;
  for (int i = 0; i < 12; ++i) {
    Generation generation{.prompt = prompt(3 + i % 5, i), .max_tokens = 30 + i};
    generation.sampling = {.temperature = i % 2 == 0 ? 0.0f : 0.7f, .repetition_penalty = i % 3 == 0 ? 1.1f : 1.0f};
    generation.sampling.seed = static_cast<std::uint64_t>(i);
    if (i % 4 == 1) generation.top_logprobs = 2;
    if (i % 5 == 2) generation.stop_tokens = {7};
    generations.push_back(generation);
  }
  RunnerInfo info = small_runner;
  info.max_batched_tokens = 32;
  std::vector<Told> without;
  std::uint64_t steps_without = 0;
  {
    Engine engine(parrot(info), steady);
    for (const Generation& generation : generations) without.push_back(ask(engine, generation));
    steps_without = engine.stats().steps;
  }
  for (Generation& generation : generations) generation.draft_tokens = 5;
  for (const int pages : {400, 40, 24}) {
    info.pages = pages;
    Engine alone(parrot(info), steady), crowd(parrot(info), steady);
    const auto together = ask(crowd, generations);
    for (std::size_t i = 0; i < generations.size(); ++i) {
      const Told told = ask(alone, generations[i]);
      EXPECT_EQ(told.tokens(), without[i].tokens()) << i;
      EXPECT_EQ(told.logprobs(), without[i].logprobs()) << i;
      EXPECT_EQ(together[i].tokens(), without[i].tokens()) << i;
      EXPECT_EQ(together[i].logprobs(), without[i].logprobs()) << i;
    }
    const Stats stats = alone.stats();
    EXPECT_LT(stats.steps, steps_without);
    EXPECT_GT(stats.speculation.accepted_tokens, 100u);
    EXPECT_GT(stats.speculation.draft_tokens, stats.speculation.accepted_tokens);
    std::uint64_t by_place = 0;
    for (const std::uint64_t count : stats.speculation.accepted_at_place) by_place += count;
    EXPECT_EQ(by_place, stats.speculation.accepted_tokens);
  }
}

TEST(Drafts, keep_to_a_constraint_and_to_what_it_forces) {
  for (const bool scored : {false, true}) {
    Generation generation{.prompt = prompt(5), .sampling = {.temperature = 0}, .max_tokens = 40};
    if (scored) generation.top_logprobs = 0;
    const auto engine = engine_of();
    generation.constraint = std::make_shared<Steps>(2, 3);
    const Told without = ask(*engine, generation);
    generation.constraint = std::make_shared<Steps>(2, 3);
    generation.draft_tokens = 4;
    generation.prompt = prompt(5);
    const Told with = ask(*engine, generation);
    EXPECT_EQ(with.tokens(), without.tokens());
    EXPECT_EQ(with.logprobs(), without.logprobs());
  }
}

TEST(Drafts, do_not_swallow_the_tokens_before_an_error) {
  for (const int drafts : {0, 6}) {
    auto runner = parrot(small_runner);
    runner->change_logits = [change = runner->change_logits](const Tokens& read, std::vector<float>& row) {
      change(read, row);
      if (read.size() == 26) row[3] = std::nanf("");
    };
    Engine engine(std::move(runner), steady);
    const Told told = ask(engine, {.prompt = prompt(5), .sampling = {.temperature = 0}, .draft_tokens = drafts});
    EXPECT_EQ(told.last().finish, Finish::error);
    EXPECT_EQ(told.tokens().size(), 21u) << drafts;
    EXPECT_EQ(told.last().counts.generated_tokens, 21) << drafts;
    EXPECT_EQ(told.events.size(), 22u);
  }
}

TEST(Drafts, that_were_refused_are_never_found_by_another) {
  RunnerInfo info = small_runner;
  info.page_tokens = 1;
  info.pages = 300;
  Engine engine(parrot(info), steady);
  const Told first = ask(engine, {.prompt = prompt(5), .max_tokens = 40, .draft_tokens = 6});
  ASSERT_GT(engine.stats().speculation.draft_tokens, engine.stats().speculation.accepted_tokens);
  Tokens longer = prompt(5);
  for (const TokenId token : first.tokens()) longer.push_back(token);
  Engine fresh(parrot(info), steady);
  const Generation again{.prompt = longer, .max_tokens = 10};
  EXPECT_EQ(ask(engine, again).tokens(), ask(fresh, again).tokens());
}

// Everything that can be asked for, at once, with few pages, small steps and rows sampled on several threads.
TEST(Crowd, of_all_kinds_gets_what_each_gets_alone) {
  const auto generation = [](int i) {
    Generation made{.prompt = prompt(4 + (i * 7) % 30, i % 2), .max_tokens = 6 + i % 17};
    made.sampling = {.temperature = i % 3 == 0 ? 0.0f : 1.0f};
    made.sampling.seed = static_cast<std::uint64_t>(i);
    made.tenant = static_cast<std::uint64_t>(i % 3);
    made.weight = 1.0f + static_cast<float>(i % 3);
    if (i % 4 == 1) made.constraint = std::make_shared<Steps>(3, i % 5);
    if (i % 3 == 1) made.draft_tokens = 1 + i % 6;
    if (i % 5 == 2) made.top_logprobs = i % 2;
    if (i % 7 == 3) made.prompt_logprobs = 0;
    if (i % 11 == 5) made = {.prompt = made.prompt, .pooling = Pooling::mean};
    if (i % 11 == 7) made = {.prompt = made.prompt, .scored = {1, 2}};
    return made;
  };
  constexpr int count = 60;
  std::vector<Told> alone;
  for (int i = 0; i < count; ++i) alone.push_back(ask(*engine_of(), generation(i)));
  for (const auto& [pages, rows, threads] : {std::tuple{400, 64, 1}, {30, 16, 3}, {16, 9, 2}}) {
    RunnerInfo info = small_runner;
    info.pages = pages;
    info.max_batched_tokens = rows;
    auto runner = std::make_unique<FakeRunner>(info);
    runner->threads = std::make_unique<ThreadPool>(threads);
    Engine engine(std::move(runner), steady);
    for (const int repetition : {0, 1}) {
      std::vector<Generation> generations;
      for (int i = 0; i < count; ++i) generations.push_back(generation(i));
      const auto told = ask(engine, std::move(generations));
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(told[i].tokens(), alone[i].tokens()) << i << " with " << pages << " pages, time " << repetition;
        EXPECT_EQ(told[i].logprobs(), alone[i].logprobs()) << i;
        EXPECT_EQ(told[i].last().finish, alone[i].last().finish) << i;
        EXPECT_EQ(told[i].last().embedding, alone[i].last().embedding) << i;
        EXPECT_EQ(told[i].last().scores, alone[i].last().scores) << i;
        EXPECT_EQ(told[i].events[0].prompt.size(), alone[i].events[0].prompt.size()) << i;
      }
    }
    const Stats stats = engine.stats();
    EXPECT_EQ(stats.now.pages_held, 0);
    EXPECT_EQ(stats.queued, 0);
    EXPECT_GT(stats.cached_tokens, 0u);
    EXPECT_GT(stats.forced_tokens, 0u);
    EXPECT_EQ(stats.now.preemptions > 0, pages < 100);
  }
}

TEST(PromptLogprobs, are_the_same_in_any_chunks_cached_or_not_and_come_with_the_first_token) {
  const Generation generation{.prompt = prompt(40), .max_tokens = 3, .prompt_logprobs = 2};
  std::vector<Sampled> expected;
  Sampler sampler(50);
  for (std::size_t i = 0; i + 1 < generation.prompt.size(); ++i) {
    const Tokens read(generation.prompt.begin(), generation.prompt.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    expected.push_back(*sampler.score(fake_logits(read, 50), generation.prompt[i + 1], 2, i + 1));
  }
  for (const auto& [rows, logits] : {std::pair{64, 64}, {16, 8}, {7, 3}, {1, 1}}) {
    RunnerInfo info = small_runner;
    info.max_batched_tokens = rows;
    info.max_logits = logits;
    const auto engine = engine_of(info);
    for (const int repetition : {0, 1}) {
      const Told told = ask(*engine, generation);
      ASSERT_EQ(told.events.size(), 3u);
      EXPECT_TRUE(told.events[1].prompt.empty());
      const std::vector<Sampled>& said = told.events[0].prompt;
      ASSERT_EQ(said.size(), 39u) << "of every token but the first";
      for (std::size_t i = 0; i < said.size(); ++i) {
        EXPECT_EQ(said[i].token, generation.prompt[i + 1]);
        EXPECT_EQ(said[i].logprob, expected[i].logprob);
        ASSERT_EQ(said[i].top.size(), 2u);
        EXPECT_EQ(said[i].top[0].token, expected[i].top[0].token);
      }
      EXPECT_EQ(told.last().counts.cached_tokens, 0) << "no row may be skipped";
      Generation plain = generation;
      plain.prompt_logprobs = {};
      EXPECT_EQ(ask(*engine, plain).tokens(), told.tokens()) << repetition;
    }
  }
}

TEST(PromptLogprobs, take_no_more_rows_of_a_step_than_are_read_at_once) {
  RunnerInfo info = small_runner;
  info.max_batched_tokens = 64;
  int most = 0;
  auto runner = std::make_unique<FakeRunner>(info);
  runner->before_step = [&](const sched::Step& step) { most = std::max(most, step.rows()); };
  Engine engine(std::move(runner), steady);
  ask(engine, {.prompt = prompt(40), .max_tokens = 1, .prompt_logprobs = 0});
  EXPECT_EQ(most, info.max_logits) << "or whoever waits for a token beside it would wait for long";
}

TEST(PromptLogprobs, can_be_all_that_is_asked_for) {
  const auto engine = engine_of();
  const Told told = ask(*engine, {.prompt = prompt(9), .max_tokens = 0, .prompt_logprobs = 0});
  ASSERT_EQ(told.events.size(), 1u);
  EXPECT_EQ(told.last().token, -1);
  EXPECT_EQ(told.last().finish, Finish::max_tokens);
  EXPECT_EQ(told.last().prompt.size(), 8u);
  EXPECT_EQ(ask(*engine, {.prompt = prompt(1), .max_tokens = 0, .prompt_logprobs = 0}).last().prompt.size(), 0u);
}

TEST(Embeddings, are_the_last_the_first_or_the_mean_hidden_state_in_any_chunks) {
  const Tokens text = prompt(37);
  std::vector<std::vector<float>> hidden;
  for (std::size_t i = 1; i <= text.size(); ++i)
    hidden.push_back(fake_logits(Tokens(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i)), 5));
  std::vector<float> mean;
  for (std::size_t d = 0; d < 5; ++d) {
    double sum = 0;
    for (const std::vector<float>& row : hidden) sum += static_cast<double>(row[d]);
    mean.push_back(static_cast<float>(sum / 37));
  }
  for (const auto& [rows, logits] : {std::pair{64, 64}, {16, 8}, {7, 3}, {1, 1}}) {
    RunnerInfo info = small_runner;
    info.max_batched_tokens = rows;
    info.max_logits = logits;
    const auto engine = engine_of(info);
    for (const int repetition : {0, 1}) {
      const auto embed = [&](Pooling pooling) {
        const Told told = ask(*engine, {.prompt = text, .pooling = pooling});
        EXPECT_EQ(told.events.size(), 1u);
        EXPECT_EQ(told.last().token, -1);
        EXPECT_EQ(told.last().finish, Finish::max_tokens);
        return told.last().embedding;
      };
      EXPECT_EQ(embed(Pooling::last), hidden.back()) << repetition;
      EXPECT_EQ(embed(Pooling::cls), hidden.front()) << repetition;
      EXPECT_EQ(embed(Pooling::mean), mean) << repetition;
    }
    EXPECT_EQ(engine->stats().now.pages_held, 0);
  }
}

TEST(Embeddings, many_at_once_beside_chats_with_few_pages_are_what_each_is_alone) {
  RunnerInfo info = small_runner;
  info.pages = 16;
  std::vector<Generation> generations;
  for (int i = 0; i < 30; ++i) {
    Generation generation{.prompt = prompt(10 + i % 20, i % 3)};
    if (i % 3 == 0) generation.pooling = Pooling::mean;
    if (i % 3 == 1) generation.max_tokens = 20;
    if (i % 3 == 2) {
      generation.max_tokens = 5 + i;
      generation.prompt_logprobs = 1;
    }
    generations.push_back(generation);
  }
  const auto crowd = engine_of(info);
  const auto told = ask(*crowd, generations);
  EXPECT_GT(crowd->stats().now.preemptions, 0u);
  for (std::size_t i = 0; i < generations.size(); ++i) {
    const Told alone = ask(*engine_of(), generations[i]);
    EXPECT_EQ(told[i].tokens(), alone.tokens()) << i;
    EXPECT_EQ(told[i].last().embedding, alone.last().embedding) << i;
    ASSERT_EQ(told[i].events[0].prompt.size(), alone.events[0].prompt.size()) << i;
    for (std::size_t p = 0; p < alone.events[0].prompt.size(); ++p)
      EXPECT_EQ(told[i].events[0].prompt[p].logprob, alone.events[0].prompt[p].logprob);
  }
}

TEST(Scores, are_log_probabilities_of_given_tokens_after_the_prompt) {
  const auto engine = engine_of();
  const Told told = ask(*engine, {.prompt = prompt(9), .scored = {4, 49, 4}});
  ASSERT_EQ(told.events.size(), 1u);
  Sampler sampler(50);
  EXPECT_EQ(told.last().scores, *sampler.score(fake_logits(prompt(9), 50), Tokens{4, 49, 4}, 9));
  EXPECT_EQ(told.last().scores[0], sampler.score(fake_logits(prompt(9), 50), 4, 0, 9)->logprob);
  EXPECT_EQ(told.last().counts.generated_tokens, 0);
}

TEST(Asking, for_what_cannot_be_is_refused) {
  RunnerInfo info = small_runner;
  info.width = 0;
  const auto engine = engine_of(info);
  const auto refused = [&](Generation generation) {
    generation.prompt = prompt(4);
    generation.sink = [](const TokenEvent&) {};
    const auto result = engine->submit(std::move(generation));
    return result ? Code::internal : result.error().code;
  };
  EXPECT_EQ(refused({.pooling = Pooling::mean}), Code::unsupported);
  EXPECT_EQ(refused({.prompt_logprobs = 51}), Code::bad_input);
  EXPECT_EQ(refused({.scored = {50}}), Code::bad_input);
  EXPECT_EQ(refused({.scored = {1}, .constraint = std::make_shared<Steps>(1)}), Code::bad_input);
  EXPECT_EQ(refused({.draft_tokens = 33}), Code::bad_input);
  EXPECT_EQ(refused({.weight = 0}), Code::bad_input);
  EXPECT_EQ(refused({.weight = std::nanf("")}), Code::bad_input);
  EXPECT_EQ(refused({.max_tokens = 0}), Code::bad_input);
}

TEST(Queue, holds_so_many_and_refuses_more_until_some_have_started) {
  RunnerInfo info = small_runner;
  info.max_sequences = 1;
  std::promise<void> arrived, open;
  auto runner = std::make_unique<FakeRunner>(info);
  bool first = true;
  runner->before_step = [&](const sched::Step&) {
    if (!std::exchange(first, false)) return;
    arrived.set_value();
    open.get_future().wait();
  };
  std::atomic<int> ended = 0;
  {
    Engine engine(std::move(runner), steady, {.max_waiting = 3});
    const auto submit = [&] {
      return engine.submit(
          {.prompt = prompt(4), .max_tokens = 2, .sink = [&](const TokenEvent& event) { ended += event.finish.has_value(); }});
    };
    ASSERT_TRUE(submit());
    arrived.get_future().wait();
    EXPECT_EQ(engine.stats().queued, 0) << "it has started";
    EXPECT_TRUE(engine.stats().turn_begun) << "and its step is under way";
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(submit()) << i;
    const auto refused = submit();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::overloaded);
    EXPECT_EQ(refused.error().message, "queue: 3 requests wait already, and no more than 3 may; try again later");
    EXPECT_EQ(engine.stats().queued, 3);
    EXPECT_EQ(engine.stats().refused, 1u);
    open.set_value();
    while (ended < 4) std::this_thread::yield();
    EXPECT_EQ(engine.stats().queued, 0);
    EXPECT_TRUE(submit());
  }
  EXPECT_EQ(ended, 5);
}

TEST(Tenants, get_turns_though_one_of_them_came_first_with_much) {
  RunnerInfo info = small_runner;
  info.max_sequences = 1;
  std::promise<void> arrived, open;
  auto runner = std::make_unique<FakeRunner>(info);
  bool first = true;
  runner->before_step = [&](const sched::Step&) {
    if (!std::exchange(first, false)) return;
    arrived.set_value();
    open.get_future().wait();
  };
  std::vector<std::uint64_t> ended;  // by the engine's thread, until it is gone
  {
    Engine engine(std::move(runner), steady);
    const auto submit = [&](std::uint64_t tenant, int seed) {
      ASSERT_TRUE(
          engine.submit({.prompt = prompt(9, seed), .max_tokens = 4, .tenant = tenant, .sink = [&, tenant](const TokenEvent& event) {
                           if (event.finish == Finish::max_tokens) ended.push_back(tenant);
                         }}));
    };
    submit(1, 0);
    arrived.get_future().wait();
    for (int i = 1; i < 5; ++i) submit(1, i);
    submit(2, 7);
    open.set_value();
    while (engine.stats().finished < 6) std::this_thread::yield();
  }
  EXPECT_EQ(ended, (std::vector<std::uint64_t>{1, 2, 1, 1, 1, 1}));
}

TEST(Penalties, of_presence_and_frequency_count_the_reply_only_where_asked) {
  std::vector<float> logits(10, 0.0f);
  logits[3] = 1;
  logits[5] = 0.9f;
  const Tokens context{3, 3, 3, 4};
  const auto choose = [&](SamplingParameters parameters, std::size_t prompt_tokens) {
    parameters.temperature = 0;
    Sampler sampler(10);
    return sampler
        .sample(parameters, {.logits = logits, .context = context, .banned = {}, .top_logprobs = {}, .prompt_tokens = prompt_tokens})
        ->token;
  };
  EXPECT_EQ(choose({.presence_penalty = 0.5f}, 4), 5);
  EXPECT_EQ(choose({.presence_penalty = 0.5f, .penalize_prompt = false}, 4), 3);
  EXPECT_EQ(choose({.presence_penalty = 0.5f, .penalize_prompt = false}, 2), 5) << "one of them is in the reply";
  EXPECT_EQ(choose({.frequency_penalty = 0.06f, .penalize_prompt = false}, 2), 3) << "counted once";
  EXPECT_EQ(choose({.frequency_penalty = 0.06f}, 2), 5) << "counted three times";
  EXPECT_EQ(choose({.repetition_penalty = 2, .penalize_prompt = false}, 4), 5) << "repetition looks at both";
}

}  // namespace
}  // namespace qn::engine
