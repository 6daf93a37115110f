// Measures: one test at a time, through the engine that also serves: its scheduler, its prefix cache, its sampler (greedy). What is timed
// is what a user would wait for, so the cost of everything around the kernels counts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/bench/work.h"
#include "model/cache.h"

namespace qn::cli {

// Either a prompt is read or replies are written, after `depth` tokens that are there already.
struct Test {
  int prompt_tokens = 0;
  int decode_tokens = 0;
  int depth = 0;
  int sequences = 1;  // decoding together
};
std::string name(const Test& test);  // "pp512 @ d4096", "tg128 x 8"

struct Measured {
  Test test;
  std::vector<double> seconds;  // by repetition
  Work work;                    // of one repetition
  Limits limits;                // medians of what was measured before, between and after the repetitions

  double median_seconds() const;
  double tokens_per_s() const { return work.tokens / median_seconds(); }
};

struct MeasureOptions {
  model::KvOptions kv;
  int threads = 1, prompt_threads = 1;  // that compute replies and prompts
  int rows_a_step = 512;
  int repetitions = 5;
  bool warm_up = true;  // a first run that is not counted
};

double median(std::vector<double> values);  // of at least one
Limits take_limits(LimitMeter& meter);

// Who watches a measurement. The first two say whether to go on.
struct Watch {
  std::function<bool(std::string_view what)> step;                                                 // what is going on; called often
  std::function<bool()> turn = [] { return true; };                                                // before each repetition; it may wait
  std::function<void(double seconds, const Limits& limits)> after = [](double, const Limits&) {};  // each repetition
};

//   errors   cancelled; out_of_memory; what the engine fails with
Result<Measured> measure(const std::shared_ptr<const model::Model>& model, const ModelWork& work, const Test& test,
                         const MeasureOptions& options, LimitMeter& meter, const Watch& watch);

}  // namespace qn::cli
