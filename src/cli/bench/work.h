// Work: what a timed stretch of computing has to read and to multiply at least, whoever does it. With the limits of the machine it gives
// the shortest time that is possible, and so what every benchmark is measured against.
//   bytes        weights once a step, without an embedding table that is only looked up; K and V of the tokens that are attended to, once
//                a step and sequence
//   operations   two for each multiply-add: matrices times tokens (the output matrix for tokens with logits only), and attention's two
//                products over the keys that each token sees
#pragma once

#include <array>
#include <optional>
#include <string>

#include "backend/cpu/limits.h"
#include "file/checkpoint.h"
#include "model/sizes.h"

namespace qn::cli {

inline constexpr std::size_t arithmetics = std::size(every_arithmetic);

struct Limits {  // of the machine, in the minute of the measurement
  double read_bytes_per_s = 0;
  std::array<std::optional<double>, arithmetics> operations_per_s;  // by Arithmetic

  // Of the kind itself, or of the next wider one where nothing does this kind faster.
  double peak(Arithmetic kind) const;
};

struct ModelWork {
  std::uint64_t parameters = 0;
  double layer_bytes = 0, head_bytes = 0;  // of weights
  // By Arithmetic, a token. Quantized weights are held against int8, all others against f32: their products are f32 (docs/exactness.md).
  std::array<double, arithmetics> layer_operations{}, head_operations{};
  double attention_operations = 0;  // for each key that a token sees, in all layers
  double kv_bytes_per_token = 0;
};
ModelWork model_work(const file::Checkpoint& checkpoint, const model::Sizes& sizes, std::uint64_t kv_bytes_per_token);

struct Work {
  int tokens = 0;  // that the speed counts
  double bytes = 0;
  std::array<double, arithmetics> operations{};  // by Arithmetic, attention included
  double attention_operations = 0;               // of these

  double all_operations() const;
};
// Tokens [depth, depth + tokens) of one sequence, at most rows_a_step in a step, logits for the last.
Work prompt_work(const ModelWork& model, int depth, int tokens, int rows_a_step);
// `tokens` steps of one token of each sequence, the first of which sees depth keys and itself.
Work decode_work(const ModelWork& model, int depth, int tokens, int sequences);

struct Bound {
  double seconds = 0;     // in which the machine could do the work
  std::string_view what;  // "memory", "int8", "f32": the limit that it would meet
};
Bound bound(const Work& work, const Limits& limits);

}  // namespace qn::cli
