// Reports: what was measured, as a table for people, and as JSON, CSV or Markdown. The fields of JSON and CSV are one row of a table each,
// in report.cpp; those that llama-bench has too bear its names. docs/bench.md says what they mean.
#pragma once

#include "cli/bench/measure.h"

namespace qn::cli {

enum class Output { table, markdown, json, json_lines, csv };
//   errors   bad_input: the name and those known
Result<Output> read_output(std::string_view name);

struct MachineFacts {
  std::string processor;  // as the system names it
  int cores = 0;          // that this process may use
  std::uint64_t memory_bytes = 0;
};
MachineFacts this_machine();

struct ModelFactsOfBench {
  std::string file, type;  // "qwen2.5-1.5b", "Q4_K_M"
  std::uint64_t bytes = 0, parameters = 0;
  double load_s = 0;
};

// What holds for all rows of a run.
struct RunFacts {
  MachineFacts machine;
  ModelFactsOfBench model;
  std::string isa, date;  // date: UTC, ISO 8601
  MeasureOptions options;
  std::array<std::string_view, arithmetics> instructions{};  // by Arithmetic
};

std::string head_text(const RunFacts& facts, Output output);  // for people: machine, program and model; else empty
std::string limits_text(const RunFacts& facts, const Limits& limits, Output output);

// Rows as they come: table and Markdown print a heading first, CSV its names, JSON opens an array, which
// end() closes.
class Reporter {
 public:
  Reporter(Output output, std::FILE* out) : output_(output), out_(out) {}
  void head(const RunFacts& facts);  // for people: what all rows from here on have in common
  void row(const RunFacts& facts, const Measured& measured);
  void end();

 private:
  Output output_;
  std::FILE* out_;
  bool first_ = true;
};

}  // namespace qn::cli
