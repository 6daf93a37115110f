// The exactness promise on whole models: the bits of every logit depend on the sequence alone, not on the backend, the instruction set,
// the number of threads, how the prompt is cut, the page size, where layers lie, or who else is in the step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backend/cpu/cpu_backend.h"
#include "backend/ref/ref_backend.h"
#include "base/random.h"
#include "golden/random_model.h"
#include "golden/run_model.h"

namespace qn::golden {
namespace {

std::vector<TokenId> random_ids(int count, std::uint64_t seed) {
  std::vector<TokenId> ids;
  for (int i = 0; i < count; ++i) ids.push_back(static_cast<TokenId>(philox(seed, static_cast<std::uint64_t>(i))[0] % random_model_vocab));
  return ids;
}

const std::vector<TokenId> prompt = random_ids(150, 1);

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

const RandomModel& shared_model() {
  static const RandomModel model = random_model(7);
  return model;
}

std::vector<float> logits_on(Backend& device, int chunk, const RunOptions& options = {.keys = "F16", .values = "F16"}) {
  SequenceRun run(shared_model().checkpoint, model::place_on(device, random_model_layers), options);
  return run.feed(prompt, chunk);
}

const std::vector<float>& expected() {
  static const std::vector<float> logits = logits_on(*make_ref_backend(), 1000);
  return logits;
}

std::vector<Isa> available() {
  return {usable_isas().begin(), usable_isas().end()};
}

TEST(Exactness, the_model_has_answers_worth_comparing) {
  ASSERT_EQ(expected().size(), prompt.size() * random_model_vocab);
  EXPECT_TRUE(std::all_of(expected().begin(), expected().end(), [](float x) { return std::isfinite(x); }));
  const auto [low, high] = std::minmax_element(expected().begin(), expected().end());
  EXPECT_GT(*high - *low, 0.1f);
}

class OnEveryIsa : public testing::TestWithParam<Isa> {};

TEST_P(OnEveryIsa, cpu_gives_the_bits_of_ref_with_1_2_and_3_threads) {
  for (const int threads : {1, 2, 3}) {
    const auto cpu = make_cpu_backend({.threads = threads, .isa = GetParam()});
    EXPECT_TRUE(same_bits(logits_on(*cpu, 1000), expected())) << threads << " threads";
  }
}

TEST_P(OnEveryIsa, a_prompt_in_chunks_of_1_7_and_64_gives_the_bits_of_one_piece) {
  const auto cpu = make_cpu_backend({.threads = 2, .isa = GetParam()});
  for (const int chunk : {1, 7, 64}) EXPECT_TRUE(same_bits(logits_on(*cpu, chunk), expected())) << "chunks of " << chunk;
}

TEST_P(OnEveryIsa, quantized_caches_give_the_bits_of_ref) {
  const auto ref = make_ref_backend();
  const auto cpu = make_cpu_backend({.threads = 2, .isa = GetParam()});
  for (const auto& [keys, values] : {std::pair{"Q8_0", "Q8_0"}, {"Q4_0", "F16"}, {"BF16", "F32"}, {"F32", "Q5_1"}}) {
    const RunOptions options{.keys = keys, .values = values};
    EXPECT_TRUE(same_bits(logits_on(*cpu, 32, options), logits_on(*ref, 1000, options))) << keys << ' ' << values;
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, OnEveryIsa, testing::ValuesIn(available()),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Exactness, ref_gives_the_same_bits_in_chunks_and_for_any_page_size) {
  const auto ref = make_ref_backend();
  EXPECT_TRUE(same_bits(logits_on(*ref, 7), expected()));
  for (const int page_tokens : {1, 8, 64, 256})
    EXPECT_TRUE(same_bits(logits_on(*ref, 64, {.keys = "F16", .values = "F16", .page_tokens = page_tokens}), expected())) << page_tokens;
}

TEST(Exactness, layers_spread_over_two_backends_give_the_same_bits) {
  const auto ref = make_ref_backend();
  const auto cpu = make_cpu_backend({.threads = 2});
  model::Placement spread{.devices = {ref.get(), cpu.get()}, .mixer = {0, 1}, .feed_forward = {1, 0}, .embedding = 1, .head = 1};
  SequenceRun run(shared_model().checkpoint, spread, {.keys = "F16", .values = "F16"});
  EXPECT_TRUE(same_bits(run.feed(prompt, 64), expected()));
}

// Three sequences read and write in the same steps; each must get what it gets alone.
TEST(Exactness, a_sequence_does_not_notice_who_shares_its_steps) {
  const auto cpu = make_cpu_backend({.threads = 2});
  auto model = model::Model::load(shared_model().checkpoint, model::place_on(*cpu, random_model_layers));
  ASSERT_TRUE(model);
  const quant::Format* f16 = quant::find_format("F16");
  auto forward = model::Forward::make(
      *model, {.kv = {.keys = f16, .values = f16, .page_tokens = 16}, .pages = 48, .max_rows = 512, .max_logits = 512});
  ASSERT_TRUE(forward);
  std::vector<PageId> pages[3];
  for (std::uint32_t page = 0; page < 48; ++page) pages[page % 3].push_back({47 - page});
  const std::vector<TokenId> others[2] = {random_ids(150, 2), random_ids(150, 3)};

  std::vector<float> mine;
  int done = 0, other_done[2] = {0, 0};
  while (done < static_cast<int>(prompt.size())) {
    sched::Step step;
    const auto take = [&](std::span<const TokenId> ids, int& at, int count, int who) {
      count = std::min(count, static_cast<int>(ids.size()) - at);
      if (count == 0) return 0;
      step.sequences.push_back({.id = {static_cast<std::uint64_t>(who)},
                                .first_position = at,
                                .tokens = {ids.begin() + at, ids.begin() + at + count},
                                .pages = pages[who]});
      at += count;
      return count;
    };
    take(others[0], other_done[0], 5, 1);
    const int before = step.rows();
    const int count = take(prompt, done, 1 + done % 13, 0);
    take(others[1], other_done[1], 31, 2);
    const auto logits = (*forward)->run(step, model::LogitsOf::all);
    ASSERT_TRUE(logits);
    const auto first = logits->begin() + before * random_model_vocab;
    mine.insert(mine.end(), first, first + count * random_model_vocab);
  }
  EXPECT_TRUE(same_bits(mine, expected()));
}

// Rows that are asked for after the step, in pieces of so many; the prompt itself in chunks.
struct Asked {
  std::vector<float> logits, hidden;
};

Asked ask_in_pieces(Backend& device, int chunk, std::size_t piece) {
  auto model = model::Model::load(shared_model().checkpoint, model::place_on(device, random_model_layers));
  const quant::Format* f16 = quant::find_format("F16");
  auto forward = model::Forward::make(
      *model, {.kv = {.keys = f16, .values = f16, .page_tokens = 16}, .pages = 10, .max_rows = 150, .max_logits = static_cast<int>(piece)});
  std::vector<PageId> pages;
  for (std::uint32_t page = 0; page < 10; ++page) pages.push_back({9 - page});
  Asked asked;
  for (int at = 0; at < 150; at += chunk) {
    const int count = std::min(chunk, 150 - at);
    const std::vector<TokenId> ids(prompt.begin() + at, prompt.begin() + at + count);
    EXPECT_TRUE((*forward)->compute({{{.id = {1}, .first_position = at, .tokens = ids, .pages = pages, .reads = count}}}));
    for (int first = 0; first < count; first += static_cast<int>(piece)) {
      std::vector<int> rows;
      for (int row = first; row < std::min(count, first + static_cast<int>(piece)); ++row) rows.push_back(row);
      const auto hidden = (*forward)->hidden(rows);
      asked.hidden.insert(asked.hidden.end(), hidden->begin(), hidden->end());
      const auto logits = (*forward)->logits(rows);
      asked.logits.insert(asked.logits.end(), logits->begin(), logits->end());
    }
  }
  return asked;
}

TEST(Exactness, logits_and_hidden_states_have_the_same_bits_in_whatever_pieces_they_are_asked_for) {
  const auto ref = make_ref_backend();
  const auto cpu = make_cpu_backend({.threads = 2});
  const Asked whole = ask_in_pieces(*ref, 150, 150);
  EXPECT_TRUE(same_bits(whole.logits, expected()));
  for (const auto& [chunk, piece] : {std::pair{150, 64}, {150, 1}, {64, 7}, {7, 64}}) {
    const Asked pieces = ask_in_pieces(*cpu, chunk, static_cast<std::size_t>(piece));
    EXPECT_TRUE(same_bits(pieces.logits, expected())) << chunk << " and " << piece;
    EXPECT_TRUE(same_bits(pieces.hidden, whole.hidden)) << chunk << " and " << piece;
  }
}

}  // namespace
}  // namespace qn::golden
