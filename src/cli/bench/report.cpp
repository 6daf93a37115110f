#include "cli/bench/report.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "backend/host_memory.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/program.h"
#include "cli/terminal/safe_text.h"

namespace qn::cli {
namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double middle = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::vector<double> speeds(const Measured& measured) {
  std::vector<double> values;
  for (const double seconds : measured.seconds) values.push_back(measured.work.tokens / seconds);
  return values;
}

json::Array as_array(const std::vector<double>& values, double scale = 1) {
  json::Array array;
  for (const double value : values) array.push_back(value * scale);
  return array;
}

json::Value peak_of(const Limits& limits, Arithmetic kind) {
  const auto& peak = limits.operations_per_s[static_cast<std::size_t>(kind)];
  return peak ? json::Value(*peak / 1e9) : json::Value(nullptr);
}

struct Row {
  const RunFacts& run;
  const Measured& measured;
  Bound limit = bound(measured.work, measured.limits);
  std::vector<double> ts = speeds(measured);

  double percent() const { return 100 * limit.seconds / measured.median_seconds(); }
  double limit_value() const {
    if (limit.what == "memory") return measured.limits.read_bytes_per_s / 1e9;
    return measured.work.all_operations() / limit.seconds / 1e9;
  }
};

struct Field {
  std::string_view name;
  json::Value (*value)(const Row& row);
};

constexpr Field fields[] = {
    {"quern_version", [](const Row&) { return json::Value(program_version()); }},
    {"cpu_info", [](const Row& r) { return json::Value(r.run.machine.processor); }},
    {"cores", [](const Row& r) { return json::Value(r.run.machine.cores); }},
    {"memory_bytes", [](const Row& r) { return json::Value(r.run.machine.memory_bytes); }},
    {"isa", [](const Row& r) { return json::Value(r.run.isa); }},
    {"test_time", [](const Row& r) { return json::Value(r.run.date); }},
    {"model_filename", [](const Row& r) { return json::Value(r.run.model.file); }},
    {"model_type", [](const Row& r) { return json::Value(r.run.model.type); }},
    {"model_size", [](const Row& r) { return json::Value(r.run.model.bytes); }},
    {"model_n_params", [](const Row& r) { return json::Value(r.run.model.parameters); }},
    {"load_s", [](const Row& r) { return json::Value(r.run.model.load_s); }},
    {"n_ubatch", [](const Row& r) { return json::Value(r.run.options.rows_a_step); }},
    {"n_threads", [](const Row& r) { return json::Value(r.run.options.threads); }},
    {"n_threads_batch", [](const Row& r) { return json::Value(r.run.options.prompt_threads); }},
    {"type_k", [](const Row& r) { return json::Value(r.run.options.kv.keys->name); }},
    {"type_v", [](const Row& r) { return json::Value(r.run.options.kv.values->name); }},
    {"test", [](const Row& r) { return json::Value(name(r.measured.test)); }},
    {"n_prompt", [](const Row& r) { return json::Value(r.measured.test.prompt_tokens); }},
    {"n_gen", [](const Row& r) { return json::Value(r.measured.test.decode_tokens); }},
    {"n_depth", [](const Row& r) { return json::Value(r.measured.test.depth); }},
    {"n_sequences", [](const Row& r) { return json::Value(r.measured.test.sequences); }},
    {"avg_ns", [](const Row& r) { return json::Value(1e9 * mean(r.measured.seconds)); }},
    {"stddev_ns", [](const Row& r) { return json::Value(1e9 * deviation(r.measured.seconds)); }},
    {"avg_ts", [](const Row& r) { return json::Value(mean(r.ts)); }},
    {"stddev_ts", [](const Row& r) { return json::Value(deviation(r.ts)); }},
    {"median_ts", [](const Row& r) { return json::Value(r.measured.tokens_per_s()); }},
    {"min_ts", [](const Row& r) { return json::Value(*std::min_element(r.ts.begin(), r.ts.end())); }},
    {"max_ts", [](const Row& r) { return json::Value(*std::max_element(r.ts.begin(), r.ts.end())); }},
    {"gb_per_s", [](const Row& r) { return json::Value(r.measured.work.bytes / r.measured.median_seconds() / 1e9); }},
    {"gop_per_s", [](const Row& r) { return json::Value(r.measured.work.all_operations() / r.measured.median_seconds() / 1e9); }},
    {"limit", [](const Row& r) { return json::Value(r.limit.what); }},
    {"limit_ts", [](const Row& r) { return json::Value(r.measured.work.tokens / r.limit.seconds); }},
    {"percent_of_limit", [](const Row& r) { return json::Value(r.percent()); }},
    {"bytes", [](const Row& r) { return json::Value(r.measured.work.bytes); }},
    {"operations", [](const Row& r) { return json::Value(r.measured.work.all_operations()); }},
    {"attention_operations", [](const Row& r) { return json::Value(r.measured.work.attention_operations); }},
    {"limit_read_gb_per_s", [](const Row& r) { return json::Value(r.measured.limits.read_bytes_per_s / 1e9); }},
    {"limit_int8_gop_per_s", [](const Row& r) { return peak_of(r.measured.limits, Arithmetic::int8); }},
    {"limit_bf16_gop_per_s", [](const Row& r) { return peak_of(r.measured.limits, Arithmetic::bf16); }},
    {"limit_f32_gop_per_s", [](const Row& r) { return peak_of(r.measured.limits, Arithmetic::f32); }},
    {"samples_ns", [](const Row& r) { return json::Value(as_array(r.measured.seconds, 1e9)); }},
    {"samples_ts", [](const Row& r) { return json::Value(as_array(r.ts)); }},
};

// 2208.4 as "2,208": three digits or more need no decimals.
std::string short_number(double value) {
  if (value < 99.95) return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : 1);
  std::string digits = fmt::format("{:.0f}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string csv_text(const json::Value& value) {
  if (value.is_null()) return {};
  if (const auto* array = value.if_array()) {
    std::string text;
    for (const json::Value& one : *array) text += (text.empty() ? "" : ";") + json::print(one);
    return text;
  }
  if (const auto* given = value.if_string()) {
    std::string text = "\"";
    for (const char c : *given) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
  }
  return json::print(value);
}

std::string spread_text(const Row& row) {
  const auto [low, high] = std::minmax_element(row.ts.begin(), row.ts.end());
  return fmt::format("± {:.1f} %", 50 * (*high - *low) / row.measured.tokens_per_s());
}

std::string limit_text(const Row& row) {
  return row.limit.what == "memory" ? fmt::format("memory {} GB/s", short_number(row.limit_value()))
                                    : fmt::format("{} {} Gop/s", row.limit.what, short_number(row.limit_value()));
}

// The cells of a row for people.
std::vector<std::string> cells(const Row& row) {
  const double seconds = row.measured.median_seconds();
  return {name(row.measured.test),
          short_number(row.measured.tokens_per_s()),
          spread_text(row),
          short_number(row.measured.work.bytes / seconds / 1e9),
          short_number(row.measured.work.all_operations() / seconds / 1e9),
          limit_text(row),
          fmt::format("{:.0f} %", row.percent())};
}
const std::vector<std::string> headings = {"test", "tok/s", "spread", "GB/s", "Gop/s", "limit of the minute", "reached"};
constexpr int widths[] = {24, 9, 9, 8, 9, -24, 8};  // negative: to the left, as the first is

std::string table_line(const std::vector<std::string>& row) {
  std::string line = fmt::format("{:<{}}", row[0], widths[0]);
  for (std::size_t i = 1; i < row.size(); ++i)
    line += widths[i] < 0 ? fmt::format("   {:<{}}", row[i], -widths[i]) : fmt::format("{:>{}}", row[i], widths[i]);
  return line + "\n";
}

std::string markdown_line(const std::vector<std::string>& row) {
  std::string line = "|";
  for (const std::string& cell : row) line += " " + cell + " |";
  return line + "\n";
}

}  // namespace

Result<Output> read_output(std::string_view name) {
  struct Known {
    std::string_view name;
    Output output;
  };
  static constexpr Known known[] = {{"table", Output::table}, {"md", Output::markdown},      {"markdown", Output::markdown},
                                    {"json", Output::json},   {"jsonl", Output::json_lines}, {"csv", Output::csv}};
  for (const Known& one : known)
    if (one.name == name) return one.output;
  return fail(Code::bad_input, "--output: {} is no form of output; give table, md, json, jsonl or csv", quoted(name));
}

MachineFacts this_machine() {
  MachineFacts facts{.cores = usable_cores(), .memory_bytes = host_info("").memory_bytes};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; facts.processor.empty() && std::getline(file, line);)
    if (line.starts_with("model name")) facts.processor = line.substr(std::min(line.find(": ") + 2, line.size()));
  if (facts.processor.empty()) facts.processor = "unknown processor";
  return facts;
}

std::string head_text(const RunFacts& facts, Output output) {
  if (output != Output::table && output != Output::markdown) return {};
  const auto counted = [](int count, std::string_view one) { return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s"); };
  std::vector<std::pair<std::string_view, std::string>> lines = {
      {"machine", fmt::format("{}, {}, {:.1f} GiB of memory", without_controls(facts.machine.processor),
                              counted(facts.machine.cores, "core"), static_cast<double>(facts.machine.memory_bytes) / (1 << 30))},
      {"program", fmt::format("quern {}, {}, {}, {}", program_version(), facts.isa, counted(facts.options.threads, "thread"),
                              facts.date.substr(0, 10))}};
  const ModelFactsOfBench& model = facts.model;
  if (model.parameters > 0) {
    lines.push_back({"model", fmt::format("{}, {}, {} MB, {} M parameters, loaded in {:.2f} s", without_controls(model.file), model.type,
                                          short_number(static_cast<double>(model.bytes) / 1e6),
                                          short_number(static_cast<double>(model.parameters) / 1e6), model.load_s)});
    lines.push_back({"tests", fmt::format("K {}, V {}; {} rows a step at most; medians of {}", facts.options.kv.keys->name,
                                          facts.options.kv.values->name, facts.options.rows_a_step, facts.options.repetitions)});
  }
  std::string text;
  for (const auto& [what, line] : lines)
    text += output == Output::markdown ? fmt::format("- {}: {}\n", what, line) : fmt::format("{:<9}{}\n", what, line);
  return text;
}

std::string limits_text(const RunFacts& facts, const Limits& limits, Output output) {
  struct Line {
    std::string what, unit;
    double value;
    std::string with;
  };
  std::vector<Line> lines = {{"read", "GB/s", limits.read_bytes_per_s / 1e9, "a prefetching stream, far larger than the caches"}};
  for (const Arithmetic kind : every_arithmetic)
    if (const auto& peak = limits.operations_per_s[static_cast<std::size_t>(kind)])
      lines.push_back({std::string(name(kind)), "Gop/s", *peak / 1e9, std::string(facts.instructions[static_cast<std::size_t>(kind)])});
  std::string text;
  if (output == Output::json || output == Output::json_lines) {
    json::Array array;
    for (const Line& line : lines)
      array.push_back(json::Object{{"limit", line.what},
                                   {"value", line.value},
                                   {"unit", line.unit},
                                   {"with", line.with},
                                   {"n_threads", facts.options.threads},
                                   {"isa", facts.isa},
                                   {"cpu_info", facts.machine.processor},
                                   {"test_time", facts.date}});
    return json::print(array) + "\n";
  }
  if (output == Output::csv) text = "limit,value,unit,with,n_threads,isa\n";
  if (output == Output::markdown) text = "| limit | | with |\n| --- | --- | --- |\n";
  for (const Line& line : lines) {
    if (output == Output::csv)
      text += fmt::format("{},{},{},\"{}\",{},{}\n", line.what, line.value, line.unit, line.with, facts.options.threads, facts.isa);
    else if (output == Output::markdown)
      text += fmt::format("| {} | {} {} | {} |\n", line.what, short_number(line.value), line.unit, line.with);
    else
      text += fmt::format("{:<8}{:>10} {:<7} {}\n", line.what, short_number(line.value), line.unit, line.with);
  }
  return text;
}

void Reporter::head(const RunFacts& facts) {
  const std::string text = head_text(facts, output_);
  if (text.empty()) return;
  fmt::print(out_, "{}{}\n", first_ ? "" : "\n", text);
  first_ = true;  // the table begins anew
}

void Reporter::row(const RunFacts& facts, const Measured& measured) {
  const Row row{facts, measured};
  std::string text;
  if (output_ == Output::json || output_ == Output::json_lines) {
    json::Object object;
    for (const Field& field : fields) object[field.name] = field.value(row);
    text = output_ == Output::json_lines ? json::print(object) + "\n" : (first_ ? "[\n" : ",\n") + json::print(object);
  } else if (output_ == Output::csv) {
    std::string names, values;
    for (const Field& field : fields) {
      names += (names.empty() ? "" : ",") + std::string(field.name);
      values += (values.empty() ? "" : ",") + csv_text(field.value(row));
    }
    text = (first_ ? names + "\n" : "") + values + "\n";
  } else if (output_ == Output::markdown) {
    if (first_) text = markdown_line(headings) + "| --- | ---: | ---: | ---: | ---: | --- | ---: |\n";
    text += markdown_line(cells(row));
  } else {
    if (first_) text = table_line(headings);
    text += table_line(cells(row));
  }
  first_ = false;
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void Reporter::end() {
  if (output_ == Output::json) fmt::print(out_, "{}\n", first_ ? "[]" : "\n]");
}

}  // namespace qn::cli
