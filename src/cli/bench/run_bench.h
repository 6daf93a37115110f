// What `quern bench` does once its flags are read: bring the model, measure test after test, report.
#pragma once

#include "cli/bench/report.h"
#include "cli/io.h"
#include "cli/threads/thread_plan.h"

namespace qn::cli {

struct BenchOptions {
  // The model: a file, "quern-mini", or a shape that random weights are made for.
  std::string model, shape;
  std::string quant = "Q4_K_M";
  std::optional<int> layers;  // of the shape
  std::string keep;           // where its file stays; empty: it goes
  std::string tokenizer;      // a tokenizer.json whose vocabulary goes into the file

  std::vector<int> prompts = {512}, decodes = {128}, depths = {0}, sequences = {1};
  std::vector<int> threads = {-1};                    // -1: as many as the machine's plan says
  ThreadChoice choice;                                // all about threads but their number
  std::string isa;                                    // empty: the best there is
  std::size_t stream_bytes = default_stream_bytes();  // of the bandwidth measurement
  MeasureOptions measure;
  Output output = Output::table;
  bool only_limits = false;
  bool progress = false;  // also where stderr is no terminal
  bool turns = false;     // two programs measure in turn: a line on stdin starts each repetition (see Turns)
};

Status run_bench(BenchOptions options, Io& io);

}  // namespace qn::cli
