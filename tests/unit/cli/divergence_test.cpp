#include "cli/evaluate/divergence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cli/terminal/progress.h"

namespace qn::cli {
namespace {

std::vector<float> logs(std::vector<float> probabilities) {
  for (float& p : probabilities) p = std::log(p);
  return probabilities;
}

TEST(Divergence, a_model_does_not_differ_from_itself) {
  Divergence same;
  for (int i = 0; i < 4; ++i) same.add(logs({0.1f, 0.7f, 0.2f}), logs({0.1f, 0.7f, 0.2f}), i % 3);
  EXPECT_NEAR(same.mean(), 0, 1e-7);
  EXPECT_EQ(same.same_top(), 1);
}

TEST(Divergence, two_coins_differ_as_the_formula_says) {
  Divergence coins;
  coins.add(logs({0.5f, 0.5f}), logs({0.9f, 0.1f}), 0);
  EXPECT_NEAR(coins.mean(), 0.9 * std::log(0.9 / 0.5) + 0.1 * std::log(0.1 / 0.5), 1e-6);
}

TEST(Divergence, logits_need_no_particular_zero) {
  Divergence shifted;
  std::vector<float> logits = logs({0.25f, 0.75f});
  for (float& logit : logits) logit += 100;
  shifted.add(logits, logs({0.25f, 0.75f}), 1);
  EXPECT_NEAR(shifted.mean(), 0, 1e-5);
}

TEST(Divergence, the_report_has_the_lines_that_people_look_for) {
  Divergence two;
  two.add(logs({0.5f, 0.5f}), logs({0.9f, 0.1f}), 0);
  two.add(logs({0.8f, 0.2f}), logs({0.9f, 0.1f}), 0);
  const std::string report = two.report();
  for (const char* words : {"Mean PPL(Q)", "Mean    KLD", "Median  KLD", "RMS Δp", "Same top p                    : 100.000"})
    EXPECT_NE(report.find(words), std::string::npos) << words << "\n" << report;
}

TEST(Progress, a_line_says_how_far_how_fast_and_how_long) {
  using std::chrono::seconds;
  EXPECT_EQ(progress_line("quantizing", Measure::bytes, 1'000'000'000, 4'000'000'000, seconds(2)),
            "quantizing  25%  1.00 GB of 4.00 GB  500 MB/s  6 s left");
  EXPECT_EQ(progress_line("reading", Measure::windows, 1, 100, seconds(1)), "reading   1%  1 of 100  1 min 39 s left");
  EXPECT_EQ(progress_line("reading", Measure::windows, 0, 100, seconds(1)), "reading   0%  0 of 100");
}

}  // namespace
}  // namespace qn::cli
