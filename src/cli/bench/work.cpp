#include "cli/bench/work.h"

#include <algorithm>

namespace qn::cli {
namespace {

std::size_t arithmetic_of(const quant::Format& format) {
  return static_cast<std::size_t>(format.kind == quant::Kind::quantized ? Arithmetic::int8 : Arithmetic::f32);
}

// Attention counts with the kind that does most of the rest: what a machine could do it with is not what a kernel happens to use.
void add_attention(Work& work, double operations) {
  work.attention_operations = operations;
  *std::max_element(work.operations.begin(), work.operations.end()) += operations;
}

}  // namespace

double Limits::peak(Arithmetic kind) const {
  for (std::size_t wider = static_cast<std::size_t>(kind); wider < arithmetics; ++wider)
    if (operations_per_s[wider]) return *operations_per_s[wider];
  return 0;
}

ModelWork model_work(const file::Checkpoint& checkpoint, const model::Sizes& sizes, std::uint64_t kv_bytes_per_token) {
  ModelWork work;
  const bool tied = checkpoint.find("output.weight") == nullptr;
  for (const file::TensorEntry& tensor : checkpoint.tensors) {
    const double weights = static_cast<double>(tensor.rows()) * static_cast<double>(tensor.columns());
    const bool matrix = tensor.shape.size() > 1 && tensor.rows() > 1;
    const bool table = tensor.name == "token_embd.weight";
    const bool head = tensor.name == "output.weight" || (table && tied);
    work.parameters += static_cast<std::uint64_t>(tensor.rows()) * static_cast<std::uint64_t>(tensor.columns());
    if (table && !tied) continue;
    (head ? work.head_bytes : work.layer_bytes) += static_cast<double>(tensor.bytes.size());
    if (matrix) (head ? work.head_operations : work.layer_operations)[arithmetic_of(*tensor.format)] += 2 * weights;
  }
  work.attention_operations = 4.0 * sizes.q_width() * sizes.layers;
  work.kv_bytes_per_token = static_cast<double>(kv_bytes_per_token);
  return work;
}

double Work::all_operations() const {
  double sum = 0;
  for (const double count : operations) sum += count;
  return sum;
}

Work prompt_work(const ModelWork& model, int depth, int tokens, int rows_a_step) {
  Work work{.tokens = tokens};
  for (int done = 0; done < tokens; done += rows_a_step) {
    const int end = std::min(tokens, done + rows_a_step);
    work.bytes += model.layer_bytes + model.kv_bytes_per_token * (depth + end);
  }
  work.bytes += model.head_bytes;
  for (std::size_t kind = 0; kind < arithmetics; ++kind)
    work.operations[kind] = model.layer_operations[kind] * tokens + model.head_operations[kind];
  add_attention(work, model.attention_operations * tokens * (depth + (tokens + 1) / 2.0));
  return work;
}

Work decode_work(const ModelWork& model, int depth, int tokens, int sequences) {
  const double rows = static_cast<double>(tokens) * sequences;
  const double keys = depth + (tokens + 1) / 2.0;  // that a token sees, on average
  Work work{.tokens = tokens * sequences};
  work.bytes = tokens * (model.layer_bytes + model.head_bytes) + rows * keys * model.kv_bytes_per_token;
  for (std::size_t kind = 0; kind < arithmetics; ++kind)
    work.operations[kind] = rows * (model.layer_operations[kind] + model.head_operations[kind]);
  add_attention(work, model.attention_operations * rows * keys);
  return work;
}

Bound bound(const Work& work, const Limits& limits) {
  const double memory_seconds = work.bytes / limits.read_bytes_per_s;
  double seconds = 0;
  for (std::size_t kind = 0; kind < arithmetics; ++kind)
    if (work.operations[kind] > 0) seconds += work.operations[kind] / limits.peak(every_arithmetic[kind]);
  if (memory_seconds >= seconds) return {memory_seconds, "memory"};
  const auto most = std::max_element(work.operations.begin(), work.operations.end()) - work.operations.begin();
  return {seconds, name(every_arithmetic[most])};
}

}  // namespace qn::cli
