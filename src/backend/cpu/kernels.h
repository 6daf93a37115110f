// What an instruction set provides: one table of plain functions, filled by kernels_<isa>.cpp from the same sources (kernels_*.h).
// All of them give the bits of backend/ref. Nothing here may have an inline body: per-ISA objects lend no code to others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/layout.h"
#include "base/cpu_features.h"

namespace qn::cpu {

// Activations of some tokens, quantized (backend/ref/activation.h) for blocks of one size.
struct QuantizedRows {
  const std::int8_t* code = nullptr;     // [T, M]
  const float* scale = nullptr;          // [T, M / block]
  const std::int16_t* sum_16 = nullptr;  // [T, M / 16] sums of 16 codes
  const std::int16_t* sum_32 = nullptr;  // [T, M / 32] sums of 32 codes
  int columns = 0;                       // M
  int block_weights = 0;
};

// Where one token's outputs of one panel go: y = product (+ bias) (+ residual).
struct Outputs {
  float* y = nullptr;               // of the first token, at the panel's first row
  const float* bias = nullptr;      // at the panel's first row, or null
  const float* residual = nullptr;  // as y, or null
  std::size_t stride = 0;           // floats from one token to the next, of y and of residual
  std::size_t residual_stride = 0;
  int rows = panel_rows;  // that exist; the last panel may have fewer
};

struct PanelJob {
  const std::byte* panel = nullptr;
  int blocks = 0;
  bool has_min = false;  // whether the format subtracts minima
  QuantizedRows x;
  int first_token = 0, tokens = 0;  // rows of x, and of the outputs
  Outputs out;
};

struct PlainJob {
  const std::byte* rows = nullptr;  // the panel's first row, as in the file
  std::size_t row_bytes = 0;
  const float* x = nullptr;  // [T, M]
  int columns = 0;
  int first_token = 0, tokens = 0;
  Outputs out;
};

// One query head against one chunk of decoded keys and values; updates the running softmax.
struct ChunkJob {
  const float* query = nullptr;   // [stride], zero from `head` on
  const float* keys = nullptr;    // [64, stride], zero from `head` on
  const float* values = nullptr;  // [64, stride]
  int head = 0;
  int stride = 0;          // head rounded up to a multiple of 16
  int begin = 0, end = 0;  // keys seen, in [0, 64)
  float scale = 0;
  bool first = false;        // nothing to merge with yet
  float* largest = nullptr;  // running maximum of the scores
  float* weight = nullptr;   // running sum of exp(score - largest)
  float* sum = nullptr;      // [stride], running sum of exp(score - largest) * value
  float* scratch = nullptr;  // [stride]
};

struct KernelTable {
  Isa isa;

  void (*quantize)(const float* x, int columns, int block_weights, std::int8_t* code, float* scale, std::int16_t* sum_16,
                   std::int16_t* sum_32);
  void (*panel)(Layout layout, const PanelJob& job);  // every layout that is not plain
  void (*plain)(Layout layout, const PlainJob& job);  // f32, f16, bf16
  void (*normalize)(const float* x, const float* weight, float eps, int count, float* y);
  void (*swiglu)(const float* gate, const float* up, float* y, int count);
  void (*rotate)(float* x, int pairs, int first_step, int second_offset, const float* cos_sin);
  void (*decode)(Layout layout, const std::byte* from, float* to, int count);  // f32, f16, bf16
  void (*attend_chunk)(const ChunkJob& job);
  void (*attend_finish)(const float* sum, float weight, int head, float* out);
  void (*exponential)(const float* x, float* y, int count);  // for the tests
};

const KernelTable& kernels_scalar();
const KernelTable& kernels_avx2();
const KernelTable& kernels_avx512();

}  // namespace qn::cpu
